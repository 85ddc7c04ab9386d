'use strict'

/*
 * The method `multi`. The class of its chains is loaded with the first one.
 */

const { defineMethod } = require('../methods/define')

/** Adds `multi` to a prototype. The class of its chains is `_Multi`, which may be a subclass. */
function addMulti (prototype) {
  Object.defineProperty(prototype, '_Multi', {
    get () {
      RedisMulti ??= require('./multi').RedisMulti
      return RedisMulti
    },
    set (value) {
      Object.defineProperty(this, '_Multi', { value, writable: true, configurable: true })
    },
    configurable: true
  })
  defineMethod(prototype, ['multi', 'MULTI'], function () { return new this._Multi(this) })
}

let RedisMulti

module.exports = { addMulti }
