'use strict'

// Puts the packages that are packed of this checkout into a folder's node_modules, as npm would.

const fs = require('node:fs')
const path = require('node:path')

const { root, step } = require('../setup')
const { pack } = require('./pack')
const { hostName } = require('./platforms')
const { standIns } = require('./stand-ins')

/** Packs the built addon and all else, and puts it into `folder`/node_modules. */
function installPacked (folder) {
  const host = hostName()
  const output = path.join(root, 'target', `packages-of-${path.basename(folder)}`)
  const addons = path.join(output, 'addons')
  fs.mkdirSync(addons, { recursive: true })
  const addon = `oxidis.${host}.node`
  const built = fs.readFileSync(path.join(root, addon))
  step('packing')
  const packages = path.join(output, 'packages')
  fs.writeFileSync(path.join(addons, addon), built)
  pack(addons, [host], packages)
  const places = {
    oxidis: 'oxidis',
    [`bindings/${host}`]: `@oxidis/binding-${host}`,
    ...Object.fromEntries(standIns().map(name => [`stand-ins/oxidis-${name}`, `@oxidis/${name}`]))
  }
  for (const [from, to] of Object.entries(places)) {
    const target = path.join(folder, 'node_modules', to)
    fs.rmSync(target, { recursive: true, force: true })
    fs.cpSync(path.join(packages, from), target, { recursive: true })
  }
}

module.exports = { installPacked }
