'use strict'

// Finds a redis-server or valkey-server program, or installs one without asking.
//
// Tests, demo and benchmark only need the program: they start their own servers on free ports. So
// an installed package must not leave a system service running, and port 6379 is never touched.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { SetupError, run, step } = require('./setup')

/**
 * The path of a server program.
 * Looks at OXIDIS_TEST_SERVER, then along the PATH, then asks the system's package manager.
 */
function ensureServer () {
  const found = findServer()
  if (found) return found
  const installed = installServer()
  if (installed) return installed
  throw new SetupError(
    'no redis-server or valkey-server was found on the PATH, and none could be installed ' +
    'without a password.\nInstall one with your package manager, for example:\n' +
    Object.values(MANAGERS).map(manager => `  ${manager.manual}\n`).join('') +
    'or set OXIDIS_TEST_SERVER to the path of the program, and run this again')
}

/** The path of a server program that is already here, or undefined. Installs nothing. */
function findServer () {
  const chosen = process.env.OXIDIS_TEST_SERVER
  if (!chosen) return PROGRAMS.map(onPath).find(Boolean)
  if (isExecutable(chosen)) return path.resolve(chosen)
  throw new SetupError(`OXIDIS_TEST_SERVER is set, but ${chosen} is not a program that can be run`)
}

/** The path of `program` on the PATH, or undefined. */
function onPath (program) {
  // Package managers install to these; a reduced PATH may leave them out.
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/bin']
  return folders.filter(Boolean).map(folder => path.join(folder, program)).find(isExecutable)
}

function isExecutable (file) {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return fs.statSync(file).isFile()
  } catch {
    return false
  }
}

function installServer () {
  const [name, manager] = Object.entries(MANAGERS).find(([program]) => onPath(program)) ?? []
  if (!manager) return undefined
  const asRoot = manager.root ? rootPrefix() : []
  if (!asRoot) return undefined
  step(`installing a Redis server with ${name}`)
  const [program, ...args] = [...asRoot, '/bin/sh', '-c', manager.script]
  run(program, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  return findServer()
}

// [] when we are root, the sudo prefix when it asks for no password, else undefined.
function rootPrefix () {
  if (process.getuid?.() === 0) return []
  const silent = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
  return silent ? ['sudo', '-n', '--preserve-env=DEBIAN_FRONTEND'] : undefined
}

const PROGRAMS = ['redis-server', 'valkey-server']

// Debian's package starts and enables its service where a policy allows it. The policy file
// (status 101: forbidden) keeps it from starting now, `systemctl disable` from starting at boot.
const APT = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
fi
apt-get update -q && apt-get install -q -y --no-install-recommends redis-server || exit 1
if [ -d /run/systemd/system ]; then systemctl disable redis-server; fi`

// The first manager found is used. None but apt starts services by itself.
const MANAGERS = {
  'apt-get': { root: true, script: APT, manual: 'sudo apt-get install redis-server' },
  dnf: {
    root: true,
    script: 'dnf install -y redis || dnf install -y valkey',
    manual: 'sudo dnf install redis'
  },
  apk: { root: true, script: 'apk add redis', manual: 'sudo apk add redis' },
  pacman: {
    root: true,
    script: 'pacman -Sy --noconfirm valkey || pacman -Sy --noconfirm redis',
    manual: 'sudo pacman -S valkey'
  },
  brew: { root: false, script: 'brew install redis', manual: 'brew install redis' }
}

module.exports = { ensureServer, findServer, onPath }
