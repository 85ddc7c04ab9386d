'use strict'

const assert = require('node:assert')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')

/** What servers have of the machine (processes, folders, ports), to look for after their end. */
function remember (servers) {
  const traces = []
  const add = ({ pid, folder, port }) => traces.push({ pid, folder, port })
  servers.forEach(add)
  return {
    add,
    async isGone () {
      for (const { pid, folder, port } of traces) {
        assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
        assert.ok(!fs.existsSync(folder), folder)
        await assert.rejects(once(net.connect(port, '127.0.0.1'), 'connect'),
          { code: 'ECONNREFUSED' })
      }
    }
  }
}

module.exports = { remember }
