// Which error is it?
import {
  AbortError, ClientClosedError, ClientOfflineError, ConnectionTimeoutError, createClient,
  DisconnectsClientError, ErrorReply, MultiErrorReply, ReconnectStrategyError, SimpleError,
  SocketClosedUnexpectedlyError, SocketTimeoutError, TimeoutError, WatchError
} from 'redis'

export function isTransient (error: unknown) {
  return error instanceof ConnectionTimeoutError || error instanceof SocketTimeoutError ||
    error instanceof SocketClosedUnexpectedlyError || error instanceof TimeoutError ||
    error instanceof ClientOfflineError
}

export async function retry<T> (run: () => Promise<T>, times: number): Promise<T> {
  for (let left = times; ; left--) {
    try {
      return await run()
    } catch (error) {
      if (error instanceof WatchError && left > 0) continue
      if (error instanceof MultiErrorReply) {
        for (const one of error.errors()) console.error(one.message)
        console.error(error.replies.length, error.errorIndexes)
      }
      if (error instanceof ReconnectStrategyError) console.error(error.originalError)
      if (error instanceof ClientClosedError || error instanceof DisconnectsClientError ||
        error instanceof AbortError || !isTransient(error)) throw error
    }
  }
}

export async function type (client: ReturnType<typeof createClient>) {
  try {
    await client.lPush('text', 'x')
  } catch (error) {
    if (error instanceof ErrorReply || error instanceof SimpleError) return error.message
    throw error
  }
}
