'use strict'

// Starts real Redis servers for tests, demo, benchmark and README examples.
//
// Every server gets a free port of 127.0.0.1 and a temporary folder, and keeps nothing on disk. It
// ends with the process that started it, in whatever way that ends: a small shell stands between
// the two, and kills the server when its end of a pipe closes. Nothing here waits for a fixed time.

const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const { ensureServer } = require('../../scripts/ensure-server')
const { createCertificates } = require('./certificates')
const { freePort } = require('./ports')

/**
 * Starts a server and resolves once it accepts connections.
 *
 * Options, all of them optional:
 * - `path`: the program; default OXIDIS_TEST_SERVER, else what ensure-server.js finds
 * - `port`: default a free one; a server that is started again keeps its ports
 * - `tls`: true for a TLS port instead of the plain one, `{ authClients: true }` to ask clients
 *   for a certificate; `server.certificates` then holds the files' paths
 * - `unixSocket`: true for a Unix socket beside the port, at `server.unixSocket`
 * - `requirepass`: the default user's password
 * - `args`: more command line arguments, such as `['--maxclients', '10']`, or a function that gets
 *   the server, once it has its ports, and returns them
 * - `env`: more environment variables of the server
 * - `cluster`: true for a node of a cluster, with a bus port at `server.busPort`
 * - `sentinel`: the text of a configuration file, for a Sentinel; a restart keeps what it added
 * - `certificates`: with `tls`, the `certificates` of another server instead of new ones
 */
async function startServer (options = {}) {
  const server = new RedisServer(options)
  try {
    await server.start()
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}

class RedisServer {
  constructor (options) {
    this.options = options
    this.program = options.path ?? ensureServer()
    this.host = '127.0.0.1'
    this.port = options.port
    this.pid = undefined
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-server-'))
    this.unixSocket = options.unixSocket ? path.join(this.folder, 'redis.sock') : undefined
    this.certificates = options.tls ? this.certify(options.certificates) : undefined
    /** Whether `pause()` holds the process now. */
    this.paused = false
    this.busPort = undefined
    this.log = ''
    this.shell = undefined
  }

  /** A URL that clients understand; carries the password when there is one. */
  get url () {
    const scheme = this.options.tls ? 'rediss' : 'redis'
    const { requirepass } = this.options
    const user = requirepass ? `:${encodeURIComponent(requirepass)}@` : ''
    return `${scheme}://${user}${this.host}:${this.port}`
  }

  async start () {
    // Clients know the port of a server that is started again, so it has to be this one. If another
    // program has taken it, that program is waited for.
    const isKnown = this.port !== undefined
    const end = performance.now() + START_TIMEOUT
    for (;;) {
      if (!isKnown) await this.choosePorts()
      try {
        return await this.launch()
      } catch (error) {
        // Somebody else has taken a port between our choice and the server's.
        if (!PORT_TAKEN.test(error.message) || performance.now() > end) throw error
      }
      if (isKnown) await new Promise(resolve => { setTimeout(resolve, PORT_INTERVAL) })
    }
  }

  async choosePorts () {
    this.port = await freePort()
    if (this.options.cluster) this.busPort = await freePort()
  }

  /** Stops the process and removes the folder. Safe to call twice. */
  async stop () {
    await this.kill()
    fs.rmSync(this.folder, { recursive: true, force: true })
  }

  /** SIGKILL, as a crash: sockets are closed by the kernel. Resolves when the process is gone. */
  async kill () {
    const shell = this.shell
    if (!shell) return
    this.shell = undefined
    if (shell.exitCode === null && shell.signalCode === null) {
      shell.ref()
      shell.stdin.end('stop\n')
      await once(shell, 'exit')
    }
    running.delete(this)
    this.pid = undefined
    this.paused = false
  }

  /** Kills the server and starts it again on the same port, empty. */
  async restart () {
    await this.kill()
    await this.start()
  }

  /** SIGSTOP: connections stay open, nothing answers. */
  pause () {
    process.kill(this.pid, 'SIGSTOP')
    this.paused = true
  }

  /** SIGCONT: ends `pause()`. */
  resume () {
    process.kill(this.pid, 'SIGCONT')
    this.paused = false
  }

  async launch () {
    this.log = ''
    this.pid = undefined
    const args = ['-c', SUPERVISE, 'redis-server', this.program, ...this.arguments()]
    const shell = spawn('/bin/sh', args, {
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: this.folder,
      env: { ...process.env, ...this.options.env }
    })
    this.shell = shell
    running.add(this)
    // Neither the pipes nor the process may keep a finished test alive.
    for (const handle of [shell, shell.stdin, shell.stdout]) handle.unref()
    shell.stdin.on('error', () => {}) // the shell has gone already
    await this.ready(shell)
  }

  // The server's own log says when it listens and why it does not.
  ready (shell) {
    return new Promise((resolve, reject) => {
      // A pending promise alone does not keep a process alive, the unref'd pipe neither.
      const hold = setTimeout(() => fail('was not ready in time'), START_TIMEOUT)
      const fail = reason => {
        clearTimeout(hold)
        reject(new Error(`${this.program} ${reason}; its log ends with:\n${this.log.slice(-2000)}`))
      }
      shell.once('error', error => fail(error.message))
      shell.once('close', code => fail(`ended with status ${code}`))
      shell.stdout.setEncoding('utf8').on('data', text => {
        // Enough to explain a failed start; a chatty server must not fill the test's memory.
        this.log = (this.log + text).slice(-LOG_KEPT)
        this.pid ??= Number(/^pid (\d+)$/m.exec(this.log)?.[1]) || undefined
        // The shell may tell the pid after the server has said that it is ready.
        if (!this.pid || !/[Rr]eady to accept connections|Sentinel ID is/.test(this.log)) return
        clearTimeout(hold)
        resolve()
      })
    })
  }

  arguments () {
    const { tls, requirepass, cluster, sentinel, args = [] } = this.options
    const list = sentinel ? [this.sentinelFile(), '--sentinel'] : []
    list.push(
      '--bind', this.host, '--dir', this.folder, '--save', '', '--appendonly', 'no',
      '--daemonize', 'no', '--logfile', '', '--port', String(tls ? 0 : this.port))
    if (version(this.program) >= 7) list.push('--enable-debug-command', 'yes')
    if (requirepass) list.push('--requirepass', requirepass)
    if (this.unixSocket) list.push('--unixsocket', this.unixSocket)
    if (tls) {
      const { ca, cert, key } = this.certificates
      list.push(
        '--tls-port', String(this.port), '--tls-ca-cert-file', ca, '--tls-cert-file', cert,
        '--tls-key-file', key, '--tls-auth-clients', tls.authClients ? 'yes' : 'no')
    }
    if (cluster) list.push('--cluster-enabled', 'yes', '--cluster-port', String(this.busPort))
    return [...list, ...(typeof args === 'function' ? args(this) : args)]
  }

  // A Sentinel writes to its configuration file what it learns; it must find that again.
  sentinelFile () {
    const file = path.join(this.folder, 'sentinel.conf')
    if (!fs.existsSync(file)) fs.writeFileSync(file, this.options.sentinel)
    return file
  }

  // Copies: every server's folder has all its files, however long the other server lives.
  certify (others) {
    if (!others) return createCertificates(this.folder)
    const from = path.dirname(others.ca)
    for (const file of fs.readdirSync(from).filter(name => /\.(crt|key)$/.test(name))) {
      fs.copyFileSync(path.join(from, file), path.join(this.folder, file))
    }
    const text = JSON.stringify(others)
    return JSON.parse(text, (_, value) =>
      typeof value === 'string' ? path.join(this.folder, path.basename(value)) : value)
  }
}

/**
 * The results of several starts. When one has failed, the others are waited for nevertheless: they
 * have to be there when the test clears up.
 */
async function allStarted (starts) {
  const results = await Promise.allSettled(starts)
  const failed = results.find(({ status }) => status === 'rejected')
  if (failed) throw failed.reason
  return results.map(({ value }) => value)
}

/**
 * Why TLS tests cannot run with the suite's server, for a test's `skip` option; false when they
 * can. Without a certificate no build starts, but one that has TLS ends with another complaint.
 */
function skipWithoutTls (program = ensureServer()) {
  const args = ['--port', '0', '--tls-port', '1', '--save', '', '--bind', '127.0.0.1']
  const { stdout, stderr } = spawnSync(program, args, {
    cwd: os.tmpdir(), encoding: 'utf8', timeout: START_TIMEOUT
  })
  const without = /'tls-port|Failed finding TLS support/.test(stdout + stderr)
  return without && `${program} was built without TLS`
}

/**
 * Why clusters and Sentinels cannot be started with the suite's server, for a test's `skip`
 * option; false when they can. Bus ports of one's choice and ranges of slots came with Redis 7.
 */
function skipBefore7 (program = ensureServer()) {
  return version(program) < 7 && `${program} is older than version 7`
}

const versions = new Map()

// The major version of a server program. Redis 7 added DEBUG's switch; 6 refuses to start with it.
function version (program) {
  if (!versions.has(program)) {
    const text = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout ?? ''
    versions.set(program, Number(/v=(\d+)/.exec(text)?.[1] ?? 0))
  }
  return versions.get(program)
}

// When the process ends by itself there is time to remove the folders too. When it is killed, the
// pipes close and the shells do the rest.
const running = new Set()
process.on('exit', () => {
  for (const server of running) {
    server.shell.kill('SIGTERM')
    // The server may still write to its folder until the signal has got through.
    fs.rmSync(server.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 10 })
  }
})

// The server runs in the background of a shell, in its temporary folder. A subshell waits for a
// line from us, or for the end of the pipe, which means that we are gone and that it has to clear
// up as well; then it kills the server. When the server ends first, the shell reports it.
const SUPERVISE = `
exec 3<&0
"$@" </dev/null 3<&- 2>&1 &
server=$!
echo "pid $server"
{ read -r _ <&3 || rm -rf "$PWD"; kill -9 $server; } >/dev/null 2>&1 &
watch=$!
trap 'kill -9 $server' TERM
trap '' INT
wait $server
code=$?
kill $watch 2>/dev/null
wait
exit $code`

// A start takes about 20 ms; a loaded 2-core machine has needed seconds.
const START_TIMEOUT = 30_000

// What a server says when it cannot have its port or its bus port.
const PORT_TAKEN = /Address already in use|Failed listening on port/

// Between two attempts to get a port that somebody else has, ms. An attempt takes as long.
const PORT_INTERVAL = 50

// The last characters of a server's log that are kept, for the error when it does not start.
const LOG_KEPT = 16_384

module.exports = { allStarted, skipBefore7, skipWithoutTls, startServer }
