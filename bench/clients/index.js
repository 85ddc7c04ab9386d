'use strict'

// The clients that are measured, all behind the same few methods.
//
// An adapter does nothing but translate a call: no caching, no batching, no conversion of replies
// beyond what the client itself returns. `pairs`, `scores` and `entries` say how many items a
// reply holds, because every client has its own shape for them. A client that lacks a method
// leaves it out, and is left out of the workloads that need it.

const { createRequire } = require('node:module')
const path = require('node:path')

const here = path.join(__dirname, '..')

/**
 * By name: what it is, the npm package it comes from and the file of it, if that is not its main
 * one, and how to open it at `{ host, port }`.
 */
const CLIENTS = {
  oxidis: {
    title: 'oxidis',
    package: 'oxidis',
    open: server => require('./oxidis').open(server)
  },
  'node-redis': {
    title: 'node-redis, no deadline',
    package: 'redis',
    open: server => require('./node-redis').open(server, { commandOptions: { timeout: undefined } })
  },
  'node-redis-default': {
    title: 'node-redis, as it comes',
    package: 'redis',
    open: server => require('./node-redis').open(server, {})
  },
  ioredis: {
    title: 'ioredis',
    package: 'ioredis',
    open: server => require('./ioredis').open(server, {})
  },
  'ioredis-auto': {
    title: 'ioredis, auto-pipelining',
    package: 'ioredis',
    open: server => require('./ioredis').open(server, { enableAutoPipelining: true })
  },
  glide: {
    title: 'valkey-glide',
    package: '@valkey/valkey-glide',
    open: server => require('./glide').open(server)
  },
  'oxidis-ioredis': {
    title: 'oxidis/ioredis',
    package: 'oxidis',
    file: 'ioredis.js',
    open: server => require('./ioredis').open(server, {}, 'oxidis/ioredis')
  },
  'oxidis-pool': {
    title: 'oxidis, createClientPool',
    package: 'oxidis',
    open: server => require('./oxidis').openPool(server)
  },
  'node-redis-pool': {
    title: 'node-redis, createClientPool, no deadline',
    package: 'redis',
    open: server =>
      require('./node-redis').openPool(server, { commandOptions: { timeout: undefined } })
  },
  'node-redis-pool-default': {
    title: 'node-redis, createClientPool, as it comes',
    package: 'redis',
    open: server => require('./node-redis').openPool(server, {})
  },
  'oxidis-cluster': {
    title: 'oxidis, createCluster',
    package: 'oxidis',
    open: server => require('./oxidis').openCluster(server)
  },
  'node-redis-cluster': {
    title: 'node-redis, createCluster, no deadline',
    package: 'redis',
    open: server =>
      require('./node-redis').openCluster(server, { commandOptions: { timeout: undefined } })
  },
  'node-redis-cluster-default': {
    title: 'node-redis, createCluster, as it comes',
    package: 'redis',
    open: server => require('./node-redis').openCluster(server, {})
  },
  'ioredis-cluster': {
    title: 'ioredis, Cluster',
    package: 'ioredis',
    open: server => require('./ioredis').openCluster(server, {})
  },
  'ioredis-cluster-auto': {
    title: 'ioredis, Cluster, auto-pipelining',
    package: 'ioredis',
    open: server => require('./ioredis').openCluster(server, { enableAutoPipelining: true })
  },
  'glide-cluster': {
    title: 'valkey-glide, cluster',
    package: '@valkey/valkey-glide',
    open: server => require('./glide').openCluster(server)
  }
}

/** Loads a peer from this folder's node_modules, else from the checkout's. */
function load (name) {
  return require(locate(name))
}

/** Where `load` finds a package; undefined when it is not installed. */
function locate (name) {
  const file = { oxidis: 'index.js', 'oxidis/ioredis': 'ioredis.js' }[name]
  if (file !== undefined) {
    return path.join(process.env.OXIDIS_BENCH_CHECKOUT ?? path.join(here, '..'), file)
  }
  for (const folder of [here, path.join(here, '..')]) {
    try {
      return createRequire(path.join(folder, 'package.json')).resolve(name)
    } catch {}
  }
  return undefined
}

/**
 * What stands in place of a client's figures after an error: a peer's deadlines may fire on a busy
 * machine, which says nothing about oxidis. Throws the error if the client is oxidis.
 */
function failure (name, error) {
  if (CLIENTS[name].package === 'oxidis') throw error
  return { failed: error.message.split('\n', 1)[0] }
}

/** The version of a package that `locate` finds. */
function version (name) {
  const manifest = name === 'oxidis'
    ? path.join(here, '..', 'package.json')
    : path.join(packageFolder(locate(name), name), 'package.json')
  return require(manifest).version
}

function packageFolder (file, name) {
  const inside = path.join('node_modules', ...name.split('/'))
  return file.slice(0, file.lastIndexOf(inside) + inside.length)
}

module.exports = { CLIENTS, failure, load, locate, version }
