'use strict'

// The event loop may refuse to watch a socket: the kernel bounds how many sockets a user may have
// watched. Then the I/O thread reads it, as it reads encrypted ones.

const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')

const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

/** Refuses what libuv asks before it watches a socket; everything else goes on to the kernel. */
const REFUSAL = `
  #define _GNU_SOURCE
  #include <dlfcn.h>
  #include <errno.h>
  #include <stdlib.h>
  #include <stdio.h>
  #include <sys/epoll.h>
  int epoll_ctl (int epoll, int operation, int descriptor, struct epoll_event *event) {
    static int (*real) (int, int, int, struct epoll_event *);
    if (real == NULL) real = dlsym(RTLD_NEXT, "epoll_ctl");
    if (operation == EPOLL_CTL_ADD && event->events == EPOLLIN && event->data.fd == -1) {
      if (getenv("TELL") != NULL) fprintf(stderr, "refused\\n");
      errno = ENOSPC;
      return -1;
    }
    return real(epoll, operation, descriptor, event);
  }
`

describe('a socket that the event loop refuses to watch', { skip: skip() }, () => {
  let folder, server
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-refusal-'))
    fs.writeFileSync(path.join(folder, 'refusal.c'), REFUSAL)
    execFileSync('cc', ['-shared', '-fPIC', '-o', 'refusal.so', 'refusal.c', '-ldl'],
      { cwd: folder })
    server = await startServer()
  })
  after(async () => {
    await server?.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  it('is read all the same, of lanes and of sessions', async () => {
    const { code, stdout, stderr } = await runScript(`
      const go = async () => {
        const commandOptions = { timeout: 0 }
        const client = oxidis.createClient({ url: '${server.url}', commandOptions })
        const words = []
        const began = performance.now()
        for (let i = 0; i < 3; i++) words.push(await client.echo(String(i)))
        const large = 'x'.repeat(3e6)
        words.push((await client.echo(large)) === large, await client.echo('small'))
        const popping = client.blPop('q', 0)
        await client.rPush('q', 'element')
        words.push((await popping).element)
        words.push(await client.session(session => session.echo('session')))
        // A lane's own timers look every 5 seconds, which would be half a minute in all.
        if (performance.now() - began > 15_000) words.push('late')
        console.log(words.join(' '))
        client.destroy()
      }
      go()
    `, { env: { LD_PRELOAD: path.join(folder, 'refusal.so'), TELL: 'yes' } })
    assert.deepStrictEqual([code, stdout], [0, '0 1 2 true small element session\n'], stderr)
    assert.ok(stderr.includes('refused'), 'nothing was refused, so nothing was tested')
  })
})

/** Why it cannot be tried here; false if it can. */
function skip () {
  if (process.platform !== 'linux') return 'only Linux has epoll'
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' })
    return false
  } catch {
    return 'there is no C compiler'
  }
}
