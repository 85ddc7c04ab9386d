'use strict'

/*
 * Does the server speak TLS if it should, and plain RESP if it should? And is its certificate one
 * that the client accepts: if not, which rule does it break?
 *
 * The handshake is done without verification and judged afterwards, so that the certificate can be
 * looked at. Nothing is sent over a connection that the client would refuse.
 */

const tls = require('node:tls')

const { TLS_OPTIONS } = require('../options/tls')
const { withoutUrl } = require('../options/url')
const { Failure, Wire, reach, within } = require('./wire')

/**
 * A wire to the server, with TLS if the options say so; null if there cannot be one.
 * @param {object} patient
 * @param {object} target options of `net.connect`
 * @returns {Promise<Wire | null>}
 */
async function speak (patient, target) {
  return patient.options.tls === undefined ? speakPlain(patient, target) : speakTls(patient, target)
}

async function speakPlain ({ findings }, target) {
  const { socket } = await reach(target)
  const wire = new Wire(socket)
  try {
    await wire.greeting()
    wire.first = await wire.ask('PING')
    return wire
  } catch (error) {
    const head = wire.head
    wire.close()
    const other = OTHERS.find(([start]) => head.startsWith(start))
    if (other !== undefined && !head.startsWith(TLS_ALERT)) {
      findings.fail('protocol', 'OTHER_SERVER', `${other[1]} answers at this port, and no Redis`,
        'look for the right host and port; that of Redis is 6379 unless somebody has changed it')
    } else if (await hasTls(target)) {
      findings.fail('protocol', 'PLAIN_TO_TLS', 'the server wants TLS at this port, and the ' +
        'options say plain', 'write rediss:// in place of redis://, or socket: { tls: true }')
    } else {
      const what = error.code === 'TIMEOUT'
        ? 'the server accepts connections and does not answer PING'
        : error.code === 'CLOSED' || error.code === 'ECONNRESET'
          ? 'the server closes the connection without an answer'
          : 'what answers at this port does not speak RESP'
      findings.fail('protocol', 'NO_RESP', what, 'look for the right port, and into the log of ' +
        'the server; a proxy in between may have lost its server')
    }
    return null
  }
}

async function speakTls (patient, target) {
  const { findings } = patient
  const given = tlsOptionsOf(patient)
  let socket
  try {
    socket = await handshake(target, given)
  } catch (error) {
    await refusedHandshake(findings, target, error)
    return null
  }
  const isAccepted = judge(patient, socket, given)
  if (!isAccepted) {
    socket.destroy()
    return null
  }
  const wire = new Wire(socket)
  try {
    wire.first = await wire.ask('PING')
    return wire
  } catch (error) {
    wire.close()
    if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA/.test(error.code)) {
      wantsCertificate(findings)
    } else {
      findings.fail('protocol', 'NO_RESP', 'the server takes TLS and does not answer PING',
        'look for the right port; if a proxy is in between, look whether it has lost its server')
    }
    return null
  }
}

/** The TLS options that were given, within `socket.tls` or beside it. */
function tlsOptionsOf ({ given, options }) {
  const { socket = {} } = withoutUrl(given ?? {})
  const all = { ...socket, ...(typeof socket.tls === 'object' ? socket.tls : {}) }
  const known = Object.entries(all).filter(([name]) => TLS_OPTIONS.has(name))
  return { ...Object.fromEntries(known), host: options.socket.host }
}

async function handshake (target, { host, servername, ...given }) {
  const { socket } = await reach(target)
  const name = servername ?? (/^[\d.]+$|:/.test(host) ? undefined : host)
  const secure = tls.connect({
    ...given, socket, servername: name, rejectUnauthorized: false, checkServerIdentity: () => {}
  })
  try {
    await within(new Promise((resolve, reject) => {
      secure.once('secureConnect', resolve)
      secure.once('error', reject)
      secure.once('close', () => reject(new Failure('CLOSED')))
    }))
    return secure
  } catch (error) {
    secure.destroy()
    throw error
  }
}

async function refusedHandshake (findings, target, { code }) {
  if (await hasPlain(target)) {
    findings.fail('tls', 'TLS_TO_PLAIN', 'the server speaks plain RESP at this port, and the ' +
      'options say TLS', 'write redis:// in place of rediss://, or look for the TLS port ' +
      '(`tls-port` in redis.conf)')
  } else if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/.test(code)) {
    wantsCertificate(findings)
  } else if (/VERSION|UNSUPPORTED_PROTOCOL/.test(code)) {
    findings.fail('tls', 'TLS_VERSION', 'client and server have no version of TLS in common',
      'look at minVersion and maxVersion here, and at `tls-protocols` of the server')
  } else {
    findings.fail('tls', 'TLS_FAILED', `the TLS handshake has failed: ${code ?? 'for no reason'}`,
      'look for the right port, and into the log of the server')
  }
}

function wantsCertificate (findings) {
  findings.fail('tls', 'TLS_CLIENT_CERTIFICATE', 'the server has refused the TLS handshake; most ' +
    'likely it wants a certificate of the client', 'socket: { tls: true, cert: ' +
    'fs.readFileSync(\'client.crt\'), key: fs.readFileSync(\'client.key\') }')
}

/** Tells of the certificate. Returns whether the client accepts it. */
function judge ({ options, findings }, socket, given) {
  const chain = chainOf(socket.getPeerCertificate(true))
  const [own] = chain
  const { name: cipher } = socket.getCipher()
  findings.measured.tls = { protocol: socket.getProtocol(), cipher, chain: chain.map(described) }
  findings.ok('tls', `${socket.getProtocol()}, ${cipher}`)
  if (own !== undefined) {
    findings.ok('tls', `the certificate of ${named(own.subject)} was issued by ` +
      `${named(own.issuer)} and ends on ${dateOf(own.valid_to)}`)
  }
  if (chain.length > 1) {
    findings.ok('tls', `the chain: ${chain.map(({ subject }) => named(subject)).join(', then ')}`)
  }
  if (!options.tls.verify) {
    findings.warn('tls', 'TLS_UNVERIFIED', 'the options say that any certificate will do, so ' +
      'whoever is in between can read everything',
    'pass `ca` in place of rejectUnauthorized: false')
    return true
  }
  const broken = brokenRules(socket, own, given)
  for (const [code, text, remedy] of broken) findings.fail('tls', code, text, remedy)
  if (broken.length === 0) {
    const days = Math.floor((Date.parse(own.valid_to) - Date.now()) / DAY)
    if (days < SOON) {
      findings.warn('tls', 'TLS_ENDS_SOON', `the certificate ends in ${days} days`, 'renew it')
    }
  }
  return broken.length === 0
}

function brokenRules (socket, own, { host, servername, checkServerIdentity }) {
  const broken = []
  const { authorizationError } = socket
  if (authorizationError) broken.push(chainRule(String(authorizationError), own))
  const check = checkServerIdentity ?? tls.checkServerIdentity
  const wanted = servername || host
  if (own !== undefined && check(wanted, own) !== undefined) {
    const names = (own.subjectaltname ?? '').split(', ').filter(Boolean)
    const shown = names.length > 0 ? names.join(', ') : 'no name at all'
    const first = names.find(name => name.startsWith('DNS:'))?.slice(4)
    broken.push(['TLS_WRONG_NAME', `the certificate is not for ${wanted}; it is for ${shown}`,
      first === undefined
        ? 'let a certificate with this name be issued'
        : 'connect by a name of the certificate, or say which one to expect: socket: { tls: ' +
          `true, servername: '${first}' }`])
  }
  return broken
}

function chainRule (code, own) {
  const issuer = named(own?.issuer)
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return ['TLS_SELF_SIGNED', 'the certificate is signed by itself, so nobody vouches for it',
        'socket: { tls: true, ca: fs.readFileSync(\'server.crt\') }, with the certificate of the ' +
        'server itself']
    case 'CERT_HAS_EXPIRED':
      return ['TLS_EXPIRED', `the certificate has ended on ${dateOf(own?.valid_to)}`,
        'renew it on the server']
    case 'CERT_NOT_YET_VALID':
      return ['TLS_NOT_YET', `the certificate begins on ${dateOf(own?.valid_from)} only`,
        'look at the clocks of both machines']
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return ['TLS_UNKNOWN_ISSUER', `nobody here trusts the issuer of the certificate, ${issuer}`,
        'socket: { tls: true, ca: fs.readFileSync(\'ca.crt\') }, with the certificate of the ' +
        'issuer; or NODE_EXTRA_CA_CERTS=ca.crt']
    default:
      return ['TLS_REFUSED', `the certificate is refused: ${code}`,
        'the code is one of OpenSSL, whose documentation explains it']
  }
}

function chainOf (certificate) {
  const chain = []
  const seen = new Set()
  for (let one = certificate; one?.raw !== undefined; one = one.issuerCertificate) {
    if (seen.has(one.fingerprint256)) break
    seen.add(one.fingerprint256)
    chain.push(one)
  }
  return chain
}

function described ({ subject, issuer, valid_from: from, valid_to: to, subjectaltname: names }) {
  return {
    subject: named(subject), issuer: named(issuer), from, to, names: names?.split(', ') ?? []
  }
}

function named (subject) {
  return subject?.CN ?? subject?.O ?? subject?.OU ?? 'nobody'
}

function dateOf (text) {
  const date = new Date(text ?? NaN)
  return Number.isNaN(date.getTime()) ? 'an unknown day' : date.toISOString().slice(0, 10)
}

async function hasTls (target) {
  try {
    const socket = await handshake(target, { host: target.host ?? 'localhost' })
    socket.destroy()
    return true
  } catch ({ code }) {
    // An alert is TLS as well.
    return /^ERR_SSL_(?!.*(WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST)).*ALERT/.test(code)
  }
}

async function hasPlain (target) {
  try {
    const { socket } = await reach(target)
    const wire = new Wire(socket)
    try {
      await wire.ask('PING')
      return true
    } finally {
      wire.close()
    }
  } catch {
    return false
  }
}

/** How other servers begin to speak. */
const OTHERS = [
  ['HTTP/', 'an HTTP server'],
  ['SSH-', 'an SSH server'],
  ['220', 'a mail or FTP server']
]
/** The first bytes of an alert of TLS. */
const TLS_ALERT = '\x15\x03'
const DAY = 86_400_000
/** Days before its end when a certificate should have been renewed. */
const SOON = 14

module.exports = { speak }
