'use strict'

// redis-om: entities in hashes and in JSON documents, searched.

const assert = require('node:assert')

const { EntityId, Repository, Schema } = require('redis-om')

const { connected } = require('../clients')

module.exports = async given => {
  const client = await connected(given)
  const seen = {}
  for (const dataStructure of ['HASH', 'JSON']) {
    const schema = new Schema(`album${dataStructure}`, {
      artist: { type: 'string' }, title: { type: 'text' }, year: { type: 'number', sortable: true },
      genres: { type: 'string[]' }, outOfPublication: { type: 'boolean' },
      place: { type: 'point' }, bought: { type: 'date' }
    }, { dataStructure })
    const albums = new Repository(schema, client)
    await albums.createIndex()
    await albums.createIndex()
    const search = () => albums.search()
    const entity = (id, artist, title, year, genres) => albums.save(id, {
      artist, title, year, genres, outOfPublication: year < 2000,
      place: { longitude: 12.5, latitude: 41.75 + year / 10_000 }, bought: new Date(1e12)
    })
    await entity('1', 'Mushroomhead', 'The Righteous & The Butterfly', 2014, ['metal', 'rock'])
    await entity('2', 'Bjørk', 'Post', 1995, ['pop'])
    await entity('3', 'Nobody', 'The quiet butterfly', 2001, ['silence'])
    const saved = await albums.save({ artist: 'new', title: 'Nameless', year: 2020, genres: [] })
    const id = saved[EntityId]
    assert.ok(typeof id === 'string' && id.length > 10)
    // An index is filled a moment later than the document is written.
    while (await search().count() < 4) {
      await new Promise(resolve => { setImmediate(resolve) })
    }
    const of = list =>
      list.map(album => [album[EntityId] === id ? 'new' : album[EntityId], album.title])
    const { bought, ...second } = await albums.fetch('2')
    seen[dataStructure] = {
      second, bought: bought.getTime(),
      byArtist: of(await search().where('artist').equals('Bjørk').return.all()),
      byText: of(await search().where('title').matchesExactly('butterfly').sortBy('year')
        .return.all()),
      byYear: of(await search().where('year').between(1990, 2005).sortDesc('year').return.all()),
      both: of(await search().where('genres').contains('metal')
        .and('outOfPublication').is.false().return.all()),
      near: of(await search().where('place').inRadius(circle =>
        circle.longitude(12.5).latitude(41.95).radius(1).kilometers).sortBy('year').return.all()),
      page: of(await search().sortBy('year').return.page(1, 2)),
      first: of([await albums.search().sortBy('year').return.first()]),
      ids: (await search().where('year').lt(2010).return.allIds()).toSorted(),
      raw: of(await albums.searchRaw('@year:[2014 2014]').return.all()),
      nothing: await search().where('artist').equals('no').return.first()
    }
    second.title = 'Debut'
    await albums.save({ ...second, [EntityId]: '2' })
    const { title } = await albums.fetch('2')
    await albums.remove('1', '3')
    await albums.expire(id, 100)
    const ttl = await client.ttl(`album${dataStructure}:${id}`)
    seen[dataStructure].changed = { title, left: await albums.search().count(), expires: ttl > 0 }
    await albums.dropIndex()
  }
  await client.close()
  return seen
}
