// Tokens in place of a password.
import { createClient, type RedisClientOptions } from 'redis'

interface Tokens { current (): Promise<string> }

export function connect (tokens: Tokens) {
  const options: RedisClientOptions = {
    url: 'rediss://cache.example.com:6380',
    credentialsProvider: {
      type: 'async-credentials-provider',
      credentials: async () => ({ username: 'user', password: await tokens.current() })
    },
    pingInterval: 10_000,
    disableOfflineQueue: true,
    commandsQueueMaxLength: 1000
  }
  return createClient(options).connect()
}

export function streaming (subscribe: (next: (password: string) => void) => () => void) {
  return createClient({
    credentialsProvider: {
      type: 'streaming-credentials-provider',
      subscribe: async listener => {
        const dispose = subscribe(password => listener.onNext({ username: 'user', password }))
        return [{ username: 'user', password: 'first' }, { dispose }]
      },
      onReAuthenticationError: error => { console.error(error.message) }
    }
  })
}
