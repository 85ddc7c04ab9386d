// Pictures in, pictures out.
import { createClient, RESP_TYPES } from 'redis'

export async function pictures (client: ReturnType<typeof createClient>) {
  const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  await client.set('picture', Buffer.from([0xff]))
  const picture = await buffers.get('picture')
  const fields = await buffers.hGetAll('hash')
  const bytes = Object.values(fields).reduce((sum, value) => sum + value.length, 0)
  return (picture?.length ?? 0) + bytes
}

export const mapped = createClient({
  commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer }, timeout: 1000 }
})

export async function digest () {
  const value = await mapped.get('k')
  return value === null ? '' : value.toString('hex')
}
