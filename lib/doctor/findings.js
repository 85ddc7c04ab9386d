'use strict'

/*
 * What the doctor has found: a list of findings, and what it has measured.
 *
 * A finding has a level, the group of checks that it is of, a stable code, a sentence that says
 * what is so, and a remedy. No text holds a secret: whatever the options keep secret is taken out
 * of each of them.
 */

/** The levels, from harmless to fatal. The index is the exit status; `ok` and `note` are both 0. */
const LEVELS = { ok: 0, note: 0, warning: 1, error: 2 }

class Findings {
  #secrets

  /** @param {string[]} secrets texts that must not be shown */
  constructor (secrets) {
    this.#secrets = secrets.filter(secret => secret.length >= SHORTEST)
    this.list = []
    /** What was measured, by the group of checks. */
    this.measured = {}
  }

  ok (check, text) {
    this.#add('ok', check, undefined, text, undefined)
  }

  /** Something that one may want to know, and that is no fault. */
  note (check, code, text, remedy) {
    this.#add('note', check, code, text, remedy)
  }

  /** Something that will do harm some day, or does harm to some programs. */
  warn (check, code, text, remedy) {
    this.#add('warning', check, code, text, remedy)
  }

  /** Something because of which the server cannot be used as the options say. */
  fail (check, code, text, remedy) {
    this.#add('error', check, code, text, remedy)
  }

  #add (level, check, code, text, remedy) {
    this.list.push({
      level,
      check,
      ...(code !== undefined && { code }),
      text: this.#clean(text),
      ...(remedy !== undefined && { remedy: this.#clean(remedy) })
    })
  }

  #clean (text) {
    return this.#secrets.reduce((text, secret) => text.replaceAll(secret, '***'), text)
  }

  /** 0: all is well; 1: there are warnings; 2: the server cannot be used. */
  get status () {
    return Math.max(0, ...this.list.map(({ level }) => LEVELS[level]))
  }
}

/**
 * Shorter secrets would be found within words. No text of a server is shown that could hold them:
 * only names, addresses and the codes of its errors.
 */
const SHORTEST = 4

module.exports = { Findings }
