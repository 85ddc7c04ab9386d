'use strict'

// A server is asked over a bare socket, without any client.

/** The request of a command, in RESP. */
function command (...args) {
  const bulks = args.map(arg => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`)
  return `*${args.length}\r\n${bulks.join('')}`
}

/** Sends text and resolves with the first bytes that come back. */
async function ask (socket, text, { keep = false } = {}) {
  const answer = read(socket, 1)
  socket.write(text)
  try {
    return await answer
  } finally {
    if (!keep) socket.destroy()
  }
}

/** Resolves once at least `count` bytes have come, with all of them. */
function read (socket, count) {
  return new Promise((resolve, reject) => {
    const chunks = []
    let length = 0
    const stop = () => socket.off('data', receive).off('error', reject).off('close', closed)
    const closed = () => reject(new Error('the connection was closed'))
    const receive = chunk => {
      chunks.push(chunk)
      length += chunk.length
      if (length < count) return
      stop()
      resolve(Buffer.concat(chunks).toString())
    }
    socket.on('data', receive).on('error', reject).on('close', closed)
  })
}

module.exports = { ask, command, read }
