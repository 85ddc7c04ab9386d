'use strict'

/*
 * A transaction, from MULTI to EXEC, as one thing that is sent: no other command gets into it, and
 * it is written again as a whole or not at all.
 *
 * It takes the place of a command for the traffic, and tells the outcome to the commands of its
 * pipeline, as if each had been sent by itself.
 */

const { OxidisError } = require('../errors')
const { BLOCK } = require('../mode')
const { ReplyError, aborted } = require('./errors')
const { factsOf } = require('./facts')

class Block {
  /**
   * @param {import('./command').Command} multi
   * @param {import('./command').Command[]} parts
   * @param {import('./command').Command} exec
   */
  constructor (multi, parts, exec) {
    this.multi = multi
    this.parts = parts
    this.exec = exec
    this.name = 'exec'
    this.args = []
    this.facts = FACTS
    this.isBlock = true
    this.blocks = false
    this.inTransaction = false
    this.isText = true
    this.replyEncoding = 'utf8'
    this.script = null
    this.reply = undefined
    this.kept = null
    this.isKept = parts.some(part => part.isKept)
    this.timer = null
    this.due = 0
    this.link = null
    this.owner = null
    this.seq = 0
    this.resolve = replies => this.done(replies)
    this.reject = error => this.refuse(error)
    this.context = undefined
  }

  own () {
    for (const part of this.parts) part.own()
  }

  encode (link) {
    // Errors of a former try say nothing about this one.
    this.context = { typeMapping: undefined, preserved: undefined, refused: new Map() }
    const chunks = []
    let text = MULTI
    for (const part of this.parts) {
      const encoded = part.encode(link)
      part.link = link
      if (encoded.chunks !== null) {
        const [head, ...rest] = encoded.chunks
        chunks.push(text + head, ...rest)
        text = ''
      }
      text += encoded.text
    }
    return { text: text + EXEC, chunks: chunks.length === 0 ? null : chunks }
  }

  /** Strings are decoded as such, unless a part wants Buffers or text in another encoding. */
  mode ({ textMode, bufferMode }) {
    return (this.hasBuffers ? bufferMode : textMode) | BLOCK
  }

  get hasBuffers () {
    return this.parts.some(part => !part.isText)
  }

  failed (error) {
    this.owner._traffic.failed(this, error)
  }

  fail (error) {
    this.reject(error)
  }

  /** EXEC was answered, or the watched keys have changed. */
  done (replies) {
    if (replies !== null && (!Array.isArray(replies) || replies.length !== this.parts.length)) {
      return this.refuse(aborted('unknown'))
    }
    this.multi.answer('OK')
    for (const part of this.parts) part.answer('QUEUED')
    this.exec.resolve(replies === null ? null : replies.map((reply, i) => this.shaped(i, reply)))
  }

  shaped (index, reply) {
    const part = this.parts[index]
    if (reply instanceof OxidisError) return reply
    const isDecoded = part.isText && this.hasBuffers
    try {
      return part.transformReply(isDecoded ? texts(reply) : reply, this.owner._traffic.replyContext)
    } catch (error) {
      return error
    }
  }

  /** EXEC was refused, or nobody knows what became of it. */
  refuse (error) {
    const refused = this.context?.refused ?? new Map()
    const isAnswered = error instanceof ReplyError
    const end = (command, place) => {
      const own = refused.get(place)
      if (own !== undefined) own.command = { name: command.name, args: command.args }
      if (own !== undefined) command.reject(own)
      else if (isAnswered) command.answer(place === 0 ? 'OK' : 'QUEUED')
      else command.reject(error)
    }
    end(this.multi, 0)
    this.parts.forEach((part, index) => end(part, index + 1))
    // The script may be one that the server has forgotten.
    for (const [place, reason] of refused) {
      const part = this.parts[place - 1]
      if (reason.message.includes('NOSCRIPT')) part?.script?.isUnknown(part, reason)
    }
    this.exec.reject(error)
  }
}

function texts (reply) {
  if (Buffer.isBuffer(reply)) return reply.toString()
  if (Array.isArray(reply)) return reply.map(texts)
  if (typeof reply !== 'object' || reply === null || reply instanceof Error) return reply
  return Object.fromEntries(Object.entries(reply).map(([name, value]) => [name, texts(value)]))
}

const FACTS = factsOf('exec')
const MULTI = '*1\r\n$5\r\nMULTI\r\n'
const EXEC = '*1\r\n$4\r\nEXEC\r\n'

module.exports = { Block }
