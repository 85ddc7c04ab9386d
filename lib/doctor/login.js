'use strict'

/*
 * Does the login work, and may this user do what oxidis and the options need?
 */

const { Refused } = require('./wire')

/**
 * Logs in over `wire`. Returns whether commands can be sent.
 * @param {object} patient
 * @param {import('./wire').Wire} wire
 */
async function logIn (patient, wire) {
  const { findings } = patient
  const login = await loginOf(patient)
  if (login === null) return false
  const { username, password } = login
  const { first } = wire
  if (first instanceof Refused && (first.isFull || first.code === 'DENIED')) {
    return usable(findings, first)
  }
  if (password !== undefined) {
    const reply = await wire.ask('AUTH', ...username === undefined ? [] : [username], password)
    if (reply instanceof Refused) return refused(findings, reply, username)
    findings.ok('login', `logged in as ${username ?? 'default'}`)
    return usable(findings, await wire.ask('PING'))
  }
  if (!(first instanceof Refused) || !first.wantsLogin) return usable(findings, first)
  findings.fail('login', 'PASSWORD_MISSING',
    'the server wants a password, and the options have none',
    'pass `username` and `password`, or write redis://user:password@host')
  return false
}

/** What the options say, or the provider of credentials; null if that fails. */
async function loginOf ({ options, findings }) {
  const { credentialsProvider: provider, username, password } = options
  if (provider === undefined) return { username, password }
  try {
    if (typeof provider === 'function') return await provider()
    if (typeof provider.credentials === 'function') return await provider.credentials()
    findings.note('login', 'LOGIN_STREAMED', 'credentials come from a stream, which is not asked')
    return {}
  } catch {
    findings.fail('login', 'PROVIDER_FAILED', 'the option credentialsProvider has thrown an error',
      'call it by itself to see which one')
    return null
  }
}

function refused (findings, reply, username) {
  if (reply.isUnasked) {
    findings.fail('login', 'PASSWORD_UNNEEDED', 'the options have a password, and the server has ' +
      'none for this user', 'leave the password away, or look for the right server')
  } else if (reply.isFull || reply.code in STATES) {
    return usable(findings, reply)
  } else {
    findings.fail('login', 'WRONG_PASSWORD', `the server refuses the password of the user ${
      username ?? 'default'}, or does not know that user`, 'compare it with `ACL LIST` or ' +
      '`requirepass` of the server; characters such as @ and / of a URL have to be percent-encoded')
  }
  return false
}

/** Tells of what keeps everybody out. Returns whether commands can be sent. */
function usable (findings, reply) {
  // What the server says about its loading tells more.
  if (!(reply instanceof Refused) || reply.isLoading) return true
  if (reply.isFull) {
    findings.fail('login', 'NO_MORE_CLIENTS', 'the server has as many clients as it takes',
      'raise `maxclients`, or look which program opens so many connections: CLIENT LIST')
    return false
  }
  const [code, text, remedy, isOver] = STATES[reply.code] ??
    ['PING_REFUSED', `the server answers PING with the error ${reply.code}`,
      'the documentation of the server explains that error', true]
  findings.fail('login', code, text, remedy)
  return !isOver
}

/** Error of PING -> code, text, remedy, and whether there is nothing else to find out. */
const STATES = {
  DENIED: ['PROTECTED_MODE', 'the server is in protected mode: it has no password, and takes ' +
    'connections from its own machine only', 'give it a password: `requirepass` in redis.conf',
  true],
  MASTERDOWN: ['PRIMARY_LOST', 'the server is a replica that has lost its primary',
    'look whether the primary runs; `replica-serve-stale-data yes` lets it serve old data', false],
  BUSY: ['SCRIPT_RUNNING', 'a script runs on the server, which answers nothing before it ends',
    'SCRIPT KILL ends it, if it has written nothing', false],
  NOPERM: ['NO_PING', 'this user may not run PING, by which connections are checked',
    'ACL SETUSER name +ping', false]
}

/**
 * What this user may not do. Only what changes nothing but this one connection is tried.
 * @param {object} patient
 * @param {import('./wire').Wire} wire
 * @param {string[][]} more commands that are needed besides
 */
async function checkRights ({ options, findings }, wire, more = []) {
  const needed = [
    ['SELECT', String(options.database), options.database !== 0],
    ['CLIENT', 'SETNAME', options.name ?? '', options.name !== undefined],
    ['READONLY', options.readonly]
  ].filter(command => command.pop()).concat(more)
  const wanted = options.disableClientInfo ? [] : [['CLIENT', 'SETINFO', 'LIB-NAME', 'oxidis']]
  const missing = []
  for (const command of needed) {
    const reply = await wire.ask(...command)
    if (!(reply instanceof Refused)) continue
    const name = command.slice(0, command[0] === 'CLIENT' || command[0] === 'CLUSTER' ? 2 : 1)
      .join(' ')
    if (reply.code === 'NOPERM') missing.push(name.toLowerCase())
    else if (name === 'SELECT') noDatabase(findings, options.database)
  }
  if (missing.length > 0) {
    findings.fail('rights', 'NOT_ALLOWED', 'this user may not run what the options need: ' +
      missing.join(', '), `ACL SETUSER name ${missing.map(name => `+${name.replace(' ', '|')}`)
      .join(' ')}`)
  }
  for (const command of wanted) {
    const reply = await wire.ask(...command)
    if (reply instanceof Refused && reply.code === 'NOPERM') {
      findings.note('rights', 'NO_SETINFO', 'this user may not tell the server the name of its ' +
        'library, so CLIENT LIST does not show it', 'ACL SETUSER name +client|setinfo')
    }
  }
  const keys = await wire.ask('GET', PROBE)
  if (keys instanceof Refused && keys.code === 'NOPERM') {
    findings.note('rights', 'KEYS_LIMITED', 'this user may not read every key, or not run GET',
      'if commands fail with NOPERM: ACL SETUSER name ~pattern')
  }
  const user = await wire.try('ACL', 'WHOAMI')
  if (typeof user === 'string') findings.measured.user = user
}

function noDatabase (findings, database) {
  findings.fail('rights', 'NO_DATABASE', `the server has no database ${database}`,
    'a cluster has database 0 only; for others see `databases` in redis.conf')
}

/** A key that nobody has. It is read only. */
const PROBE = 'oxidis:doctor:no-such-key'

module.exports = { checkRights, logIn }
