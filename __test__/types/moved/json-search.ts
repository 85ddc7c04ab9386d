// Documents and their index.
import {
  createClient, SCHEMA_FIELD_TYPE, SCHEMA_VECTOR_FIELD_ALGORITHM, type RediSearchSchema
} from 'redis'

const schema: RediSearchSchema = {
  '$.name': { type: SCHEMA_FIELD_TYPE.TEXT, AS: 'name', SORTABLE: true },
  '$.age': { type: SCHEMA_FIELD_TYPE.NUMERIC, AS: 'age' },
  '$.vector': {
    type: SCHEMA_FIELD_TYPE.VECTOR, ALGORITHM: SCHEMA_VECTOR_FIELD_ALGORITHM.HNSW,
    TYPE: 'FLOAT32', DIM: 3, DISTANCE_METRIC: 'COSINE', AS: 'vector'
  },
  '$.area': { type: SCHEMA_FIELD_TYPE.GEOSHAPE, COORD_SYSTEM: 'FLAT', AS: 'area' }
}

export async function run () {
  const client = await createClient().connect()
  await client.ft.create('people', schema, { ON: 'JSON', PREFIX: 'person:' })
  await client.json.set('person:1', '$', { name: 'Ann', age: 30, vector: [1, 2, 3] })
  const names = await client.json.get('person:1', { path: '$.name' })
  const many = await client.json.mGet(['person:1', 'person:2'], '$.age')
  const found = await client.ft.search('people', '@age:[20 40]', {
    LIMIT: { from: 0, size: 10 }, SORTBY: 'age', RETURN: ['name']
  })
  for (const document of found.documents) console.log(document.id, document.value.name)
  await client.ts.add('temperature', '*', 21.5)
  await client.bf.add('seen', 'x')
  return { names, many, total: found.total }
}
