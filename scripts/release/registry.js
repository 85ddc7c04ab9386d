'use strict'

// A registry of packages on 127.0.0.1, for trials: it has what pack.js has written and what a test
// adds, and nothing else. So a package manager installs oxidis as it will from the real one, before
// it is there.

const { createHash } = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')

/**
 * Starts a registry of the packages in `folder`, which pack.js has written, and of `others`, each a
 * `{ manifest, file }`. Resolves to `{ url, close }`.
 */
async function startRegistry (folder, others = []) {
  const server = http.createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, url).pathname.slice(1))
    const tarball = packages.find(({ file }) => path.basename(file) === name)
    if (tarball !== undefined) return sendFile(response, tarball.file)
    const found = packages.find(({ manifest }) => manifest.name === name)
    if (found === undefined) return response.writeHead(404).end('{}')
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(describe(found)))
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject))
  const url = `http://127.0.0.1:${server.address().port}/`
  const packages = [...packagesIn(folder), ...others]
  const describe = ({ manifest, file }) => {
    // All platforms have to be known, or a lockfile would lack them; one is enough to install.
    const bytes = fs.existsSync(file) ? fs.readFileSync(file) : ''
    const hash = (name, form) => createHash(name).update(bytes).digest(form)
    const dist = {
      tarball: url + path.basename(file),
      shasum: hash('sha1', 'hex'),
      integrity: `sha512-${hash('sha512', 'base64')}`
    }
    return {
      name: manifest.name,
      'dist-tags': { latest: manifest.version },
      versions: { [manifest.version]: { ...manifest, dist } },
      time: { [manifest.version]: '2020-01-01T00:00:00.000Z' }
    }
  }
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url, close }
}

/** What package.json says of each package, and where its tarball is, if there is one. */
function packagesIn (folder) {
  const foldersIn = name => {
    const place = path.join(folder, name)
    return fs.existsSync(place) ? fs.readdirSync(place).map(one => path.join(place, one)) : []
  }
  return [path.join(folder, 'oxidis'), ...foldersIn('bindings'), ...foldersIn('stand-ins')]
    .map(place => JSON.parse(fs.readFileSync(path.join(place, 'package.json'), 'utf8')))
    .map(manifest => {
      const name = manifest.name.replace('@', '').replace('/', '-')
      return { manifest, file: path.join(folder, `${name}-${manifest.version}.tgz`) }
    })
}

function sendFile (response, file) {
  if (!fs.existsSync(file)) return response.writeHead(404).end()
  response.writeHead(200, { 'content-type': 'application/octet-stream' })
  fs.createReadStream(file).pipe(response)
}

module.exports = { startRegistry }
