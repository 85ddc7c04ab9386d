'use strict'

/*
 * Rows of PUBLISH and of the questions about subscriptions. Subscribing itself is not a command
 * method: it is the client's own. See index.js for what a row is. Channels are a name space of
 * their own: the key prefix is not put in front of them.
 */

const { isGiven } = require('../arguments')
const { none } = require('./forms')
const { object } = require('./replies')

module.exports = [
  {
    name: 'publish',
    args: publish,
    ts: '(channel: RedisArgument, message: RedisArgument): Promise<number>'
  },
  {
    name: 'pubSubChannels',
    upper: 'PUBSUB_CHANNELS',
    command: ['PUBSUB', 'CHANNELS'],
    args: pattern,
    ts: '(pattern?: RedisArgument): Promise<T[]>'
  },
  {
    name: 'pubSubNumPat',
    upper: 'PUBSUB_NUMPAT',
    command: ['PUBSUB', 'NUMPAT'],
    args: none,
    ts: '(): Promise<number>'
  },
  {
    name: 'pubSubNumSub',
    upper: 'PUBSUB_NUMSUB',
    command: ['PUBSUB', 'NUMSUB'],
    args: channels,
    reply: reply => object(reply),
    ts: '(channels?: RedisVariadicArgument): Promise<Record<string, number>>'
  },
  {
    name: 'pubSubShardChannels',
    upper: 'PUBSUB_SHARDCHANNELS',
    command: ['PUBSUB', 'SHARDCHANNELS'],
    args: pattern,
    ts: '(pattern?: RedisArgument): Promise<T[]>'
  },
  {
    name: 'pubSubShardNumSub',
    upper: 'PUBSUB_SHARDNUMSUB',
    command: ['PUBSUB', 'SHARDNUMSUB'],
    args: channels,
    reply: reply => object(reply),
    ts: '(channels?: RedisVariadicArgument): Promise<Record<string, number>>'
  },
  {
    name: 'sPublish',
    args: publish,
    ts: '(channel: RedisArgument, message: RedisArgument): Promise<number>'
  }
]

function publish (w, channel, message) {
  w.arg(channel, 'channel')
  w.arg(message, 'message')
}

function pattern (w, pattern) {
  if (isGiven(pattern)) w.arg(pattern, 'pattern')
}

function channels (w, channels) {
  if (isGiven(channels)) w.anyArgs(channels, 'channels')
}
