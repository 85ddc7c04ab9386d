'use strict'

/*
 * The cached replies of one client.
 *
 * Owns by which names they are found, and which keys they were made of. A reply is found by its
 * method, by the mode that says what becomes of it, and by the key if that is the only argument,
 * else by the encoded arguments. A key is a text with one char for each byte, as it is sent.
 *
 * Two numbers tell what has happened meanwhile: the native side changes them as soon as a socket
 * was read. Invariant: nothing is served before both were looked at, and every entry that is found
 * by a name is found by all of its keys, and the other way round.
 */

const { cacheEvictionChannel, cacheRequestChannel } = require('../channels')
const { SCALAR, UNKNOWN, copyOf, kindOf, sizeOf, weightOf } = require('./copies')
const { Names } = require('./names')
const { FLYING, GONE, KEPT } = require('./store')

/** One cached reply, or one that is due. */
class Entry {
  /**
   * @param {Table} table
   * @param {Names} names where it is found
   * @param {string} name by which it is found there
   * @param {string | string[]} keys
   */
  constructor (table, names, name, keys) {
    this.table = table
    this.names = names
    this.name = name
    this.keys = keys
    this.state = FLYING
    this.value = undefined
    this.kind = SCALAR
    this.weight = 0
    /** From when on it is not served any more (ms of the clock); 0 for never. */
    this.expires = 0
    /** What the transform of the reply needs to know of the arguments. */
    this.preserved = undefined
    /** Who waits for the reply while it is due. */
    this.flight = null
    this.newer = null
    this.older = null
  }

  /** Whether its reply has not come yet. */
  get isDue () {
    return this.state === FLYING
  }
}

class Table {
  /**
   * @param {import('./store').Store} store
   * @param {() => number} now the clock, in ms
   * @param {(name: string, what: unknown) => void} tell hears `invalidate` with a key or null, and
   *   `cache-evict` with the entry
   */
  constructor (store, now, tell) {
    this.store = store
    this.now = now
    this.tell = tell
    /** Method and mode -> the entries of calls with one key only, and of all others. */
    this.shelves = new Map()
    /** Key -> its entry, or the set of its entries. */
    this.index = new Names()
    this.generation = 0
    this.cell = NOTHING_NEW
    this.news = null
    /** Whose replies these are, for those who watch. */
    this.identity = undefined
  }

  /**
   * Begins anew with other connections.
   * @param {Uint32Array} cell the generation, and how many invalidations wait
   * @param {{ refresh: ((cell: Uint32Array) => void) | null, take: () => void }} news `refresh`
   *   reads the cell anew, if it does not change by itself; `take` hands over what waits
   */
  attach (cell, news) {
    this.clear()
    this.cell = cell
    this.news = news
    if (news.refresh !== null) news.refresh(cell)
    this.generation = cell[GENERATION]
  }

  /** The connections are gone, or about to go. */
  detach () {
    this.clear()
    this.cell = NOTHING_NEW
    this.generation = 0
    this.news = null
  }

  /** Takes notice of everything that was read from the sockets. */
  catchUp () {
    const { cell } = this
    if (this.news !== null && this.news.refresh !== null) this.news.refresh(cell)
    // No load of the number may be left out: other threads change it. V8 keeps none over a call.
    if (cell[GENERATION] !== this.generation) this.#lost(cell[GENERATION])
    if (cell[UNDELIVERED] !== 0) this.news.take()
  }

  #lost (generation) {
    this.generation = generation
    this.clear()
    this.tell('invalidate', null)
  }

  /**
   * The entries of a method with a mode: `byKey` has those of calls with one key only.
   * @param {number} id of both together
   */
  shelf (id) {
    let shelf = this.shelves.get(id)
    if (shelf === undefined) {
      shelf = { byKey: new Names(), byText: new Names() }
      this.shelves.set(id, shelf)
    }
    return shelf
  }

  /** Whether `entry` may still be served. If its time is over, it is dropped. */
  isFresh (entry) {
    if (entry.expires === 0 || this.now() < entry.expires) return true
    this.#evict(entry, 'ttl')
    this.tell('cache-evict', entry)
    return false
  }

  /** A copy of what is kept. */
  serve (entry) {
    const { store } = this
    store.touch(entry)
    store.stats.hits++
    if (cacheRequestChannel.hasSubscribers) {
      const { clientId } = this.identity ?? {}
      cacheRequestChannel.publish({ result: 'hit', clientId, bytesSaved: sizeOf(entry.value) })
    }
    return entry.kind === SCALAR ? entry.value : copyOf(entry.value, entry.kind)
  }

  /** Counts a read that has found nothing. */
  missed () {
    this.store.stats.misses++
    if (!cacheRequestChannel.hasSubscribers) return
    cacheRequestChannel.publish({ result: 'miss', clientId: this.identity?.clientId })
  }

  /** A copy of a reply that has come just now. */
  copy (value) {
    const kind = kindOf(value)
    return kind === UNKNOWN ? value : copyOf(value, kind)
  }

  /** Adds an entry whose reply is due. */
  begin (names, name, keys) {
    const entry = new Entry(this, names, name, keys)
    names.set(name, entry)
    if (typeof keys === 'string') this.#link(keys, entry)
    else for (const key of keys) this.#link(key, entry)
    return entry
  }

  /**
   * Keeps the reply of an entry, unless something has happened to its keys since it was begun. Must
   * be called when the reply comes, not later: the order decides whether it is still true.
   */
  keep (entry, value) {
    if (!entry.isDue) return
    const kind = kindOf(value)
    if (kind === UNKNOWN) return this.drop(entry)
    const { store } = this
    entry.weight = ENTRY + weightOf(value) + 2 * entry.name.length + keysWeight(entry.keys)
    if (entry.weight > store.maxBytes) return this.drop(entry)
    entry.value = kind === SCALAR ? value : copyOf(value, kind)
    entry.kind = kind
    entry.state = KEPT
    entry.flight = null
    if (store.ttl !== 0) entry.expires = this.now() + store.ttl
    store.add(entry)
    for (;;) {
      const { excess } = store
      if (excess === null) return
      excess.table.evict(excess)
    }
  }

  /** Drops the entries of a key. Returns how many there were. */
  forget (key) {
    const found = this.index.get(key)
    if (found === undefined) return 0
    if (!(found instanceof Set)) {
      this.drop(found)
      return 1
    }
    const { size } = found
    for (const entry of found) this.drop(entry)
    return size
  }

  /** Drops the entries of a key that the server, or the application, says has changed. */
  invalidate (key) {
    const count = this.forget(key)
    if (count > 0) this.#tellEviction('invalidation', count)
  }

  /** Drops an entry. If its reply is due, it answers those who wait and is not kept. */
  drop (entry) {
    if (entry.state === GONE) return
    if (entry.state === KEPT) this.store.remove(entry)
    entry.state = GONE
    entry.names.delete(entry.name)
    if (typeof entry.keys === 'string') this.#unlink(entry.keys, entry)
    else for (const key of entry.keys) this.#unlink(key, entry)
  }

  /** Drops an entry for the bounds of the cache. */
  evict (entry) {
    this.#evict(entry, 'full')
  }

  #evict (entry, reason) {
    this.drop(entry)
    this.store.stats.evictions++
    this.#tellEviction(reason, 1)
  }

  #tellEviction (reason, count) {
    if (!cacheEvictionChannel.hasSubscribers) return
    cacheEvictionChannel.publish({ reason, count, clientId: this.identity?.clientId })
  }

  /** Drops everything. */
  clear () {
    for (const { byKey, byText } of this.shelves.values()) {
      for (const entry of byKey.values()) this.#leave(entry)
      for (const entry of byText.values()) this.#leave(entry)
    }
    this.shelves.clear()
    this.index.clear()
  }

  #leave (entry) {
    if (entry.state === KEPT) this.store.remove(entry)
    entry.state = GONE
  }

  /** Entries that are kept. */
  get size () {
    let size = 0
    for (const { byKey, byText } of this.shelves.values()) {
      for (const entry of byKey.values()) size += entry.state === KEPT ? 1 : 0
      for (const entry of byText.values()) size += entry.state === KEPT ? 1 : 0
    }
    return size
  }

  #link (key, entry) {
    const found = this.index.get(key)
    if (found === undefined) this.index.set(key, entry)
    else if (found instanceof Set) found.add(entry)
    else if (found !== entry) this.index.set(key, new Set([found, entry]))
  }

  #unlink (key, entry) {
    const found = this.index.get(key)
    if (found === entry) return this.index.delete(key)
    if (!(found instanceof Set)) return
    found.delete(entry)
    if (found.size === 0) this.index.delete(key)
  }
}

function keysWeight (keys) {
  if (typeof keys === 'string') return 2 * keys.length
  let weight = 0
  for (const key of keys) weight += 2 * key.length
  return weight
}

/** The numbers of a cell. */
const GENERATION = 0
const UNDELIVERED = 1
/** The cell of a table without connections. */
const NOTHING_NEW = new Uint32Array(2)
/** Bytes that an entry takes beside its reply and its names: objects, and places in two maps. */
const ENTRY = 200

module.exports = { Table }
