// Places near a point.
import { createClient, GEO_REPLY_WITH } from 'redis'

export async function near (longitude: number, latitude: number) {
  const client = createClient()
  await client.connect()
  await client.geoAdd('shops', [{ longitude: 13.3, latitude: 52.5, member: 'berlin' }])
  const names: string[] = await client.geoSearch('shops', { longitude, latitude },
    { radius: 10, unit: 'km' }, { SORT: 'ASC', COUNT: 5 })
  const more = await client.geoSearchWith('shops', 'berlin', { width: 5, height: 5, unit: 'mi' },
    [GEO_REPLY_WITH.DISTANCE, GEO_REPLY_WITH.COORDINATES])
  return { names, far: more.map(({ member, distance }) => `${member}: ${distance}`) }
}
