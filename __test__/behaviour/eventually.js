'use strict'

// Waits: for a client's event, or for a state that no event announces, such as a client's entry in
// the server's list.

/**
 * Resolves with the first truthy result of `probe`, which is asked again and again.
 * @param {() => unknown} probe may return a promise
 * @param {string} what for the error when it never comes
 */
async function eventually (probe, what) {
  const end = performance.now() + PATIENCE
  for (;;) {
    const result = await probe()
    if (result) return result
    if (performance.now() > end) throw new Error(`${what}: not within ${PATIENCE} ms`)
    await new Promise(resolve => { setTimeout(resolve, INTERVAL) })
  }
}

/**
 * Resolves with the first argument of the client's next `name` event. Unlike `events.once` it does
 * not mind `error` events, which are news here and no failure of what is waited for; and it keeps
 * the process alive, which an idle client does not.
 */
function heard (client, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name} event within ${PATIENCE} ms`)),
      PATIENCE)
    client.once(name, first => {
      clearTimeout(timer)
      resolve(first)
    })
  })
}

// What is waited for takes milliseconds; a busy 2-core machine has needed many seconds.
const PATIENCE = 60_000
const INTERVAL = 5

module.exports = { eventually, heard }
