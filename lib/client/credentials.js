'use strict'

/*
 * Where the credentials of connections come from: a function, an object with one, or one of
 * node-redis's streaming providers, which tells of new credentials by itself.
 *
 * Owns the subscription to a streaming provider. It begins with the first connection and ends with
 * the client. While it lasts, connections are made with the latest credentials.
 */

/** The source of a client's credentials. */
class CredentialsSource {
  #provider
  #renew
  #tell
  /** The subscription: what it resolves to is of no use, `#current` has the credentials. */
  #subscription = null
  #current = null
  #disposable = null
  /** Counts subscriptions, so that one that has ended changes nothing any more. */
  #round = 0
  #isRenewed = false

  /**
   * @param {Function | object} provider the option `credentialsProvider`
   * @param {(credentials: { username?: string, password?: string }) => void} renew logs all
   *   connections in again
   * @param {(error: unknown) => void} tell emits an `error` event
   */
  constructor (provider, renew, tell) {
    this.#provider = provider
    this.#renew = renew
    this.#tell = tell
  }

  /** Resolves to the credentials of a new connection. */
  async get () {
    const provider = this.#provider
    if (typeof provider === 'function') return checked(await provider())
    if (typeof provider.credentials === 'function') return checked(await provider.credentials())
    this.#subscription ??= this.#subscribe()
    const subscription = this.#subscription
    try {
      await subscription
    } catch (error) {
      // The next connection tries again.
      if (this.#subscription === subscription) this.#subscription = null
      throw error
    }
    return this.#current
  }

  async #subscribe () {
    const round = ++this.#round
    const isOver = () => round !== this.#round
    const onNext = credentials => {
      if (isOver()) return
      try {
        this.#current = checked(credentials)
      } catch (error) {
        return this.#report(error)
      }
      this.#isRenewed = true
      this.#renew(this.#current)
    }
    const onError = error => {
      if (isOver()) return
      const text = `error from the streaming credentials provider: ${error?.message}`
      this.#report(new UnableToObtainNewCredentialsError(text, { cause: error }))
    }
    const [first, disposable] = await this.#provider.subscribe({ onNext, onError })
    if (isOver()) return this.#dispose(disposable)
    this.#disposable = disposable
    // Newer ones may have come already.
    this.#current ??= checked(first)
  }

  /** An attempt to connect has failed for `error`. */
  failed (error) {
    if (!this.#isRenewed || error?.kind !== 'AUTH') return
    this.#report(new CredentialsError(error.message, { cause: error }))
  }

  /** Ends the subscription. */
  end () {
    const disposable = this.#disposable
    this.#round++
    this.#subscription = this.#current = this.#disposable = null
    this.#isRenewed = false
    this.#dispose(disposable)
  }

  #dispose (disposable) {
    try {
      disposable?.dispose()
    } catch (error) {
      this.#tell(error)
    }
  }

  /** Tells the provider what has become of its credentials. */
  #report (error) {
    try {
      this.#provider.onReAuthenticationError?.(error)
    } catch (thrown) {
      this.#tell(thrown)
    }
  }
}

/** New credentials were refused. node-redis's name. */
class CredentialsError extends Error {
  get name () {
    return 'CredentialsError'
  }
}

/** There are no new credentials. node-redis's name. */
class UnableToObtainNewCredentialsError extends Error {
  get name () {
    return 'UnableToObtainNewCredentialsError'
  }
}

/** Credentials, if they are any: an empty text is none. */
function checked (given) {
  const { username, password } = given
  for (const [name, value] of Object.entries({ username, password })) {
    if (value !== undefined && value !== null && typeof value !== 'string') {
      throw new TypeError(`the credentials provider must give a string as ${name}`)
    }
  }
  return { username: username || undefined, password: password || undefined }
}

module.exports = { CredentialsSource }
