'use strict'

// `npm run release:pack`: writes the packages that are published to target/packages.
//
//   npm run release:pack                         of the addons of all platforms, in artifacts/
//   npm run release:pack -- --addons=folder      the addons are elsewhere; folders in it count too
//   npm run release:pack -- --platforms=a,b      only these platforms, for a trial
//
// package.json of a checkout names no package with an addon. There is none yet of a version that
// is not published, so `npm ci` could not install a checkout, or would install what somebody else
// has put under that name. The names are added here, to the package.json that is packed.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { SetupError, checkNode, ensurePackages, root, runMain } = require('../setup')
const { NAME: LICENCES, writeLicences } = require('./licences')
const { napi, platforms } = require('./platforms')
const { standIns, writeStandIn } = require('./stand-ins')
const { check } = require('./version')

/** Where the packages are written: folders, and the tarballs that npm makes of them. */
const OUTPUT = path.join(root, 'target', 'packages')

/**
 * Writes the packages and returns the tarballs' paths, that of oxidis last.
 * @param {string} addons the folder that holds the addons
 * @param {string[]} [wanted] names of platforms; default all of them
 * @param {string} [output] where to write, within the checkout
 */
function pack (addons, wanted = platforms().map(({ name }) => name), output = OUTPUT) {
  const version = check()
  fs.rmSync(output, { recursive: true, force: true })
  const found = addonsIn(addons)
  const folders = bindingFolders(wanted, path.join(output, 'bindings'))
  const tarballs = folders.map(({ name, folder }) => {
    const file = `oxidis.${name}.node`
    if (!found.has(file)) throw new SetupError(`${file} is not in ${addons}`)
    fs.copyFileSync(found.get(file), path.join(folder, file))
    fs.chmodSync(path.join(folder, file), 0o644)
    fs.copyFileSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'))
    addLicences(name, folder)
    return tarball(folder, output)
  })
  for (const name of standIns()) {
    tarballs.push(tarball(writeStandIn(name, version, path.join(output, 'stand-ins')), output))
  }
  return [...tarballs, tarball(writeMain(version, path.join(output, 'oxidis')), output)]
}

/** The package.json of each platform, as napi-rs makes it. */
function bindingFolders (wanted, output) {
  const unknown = wanted.find(name => !platforms().some(platform => platform.name === name))
  if (unknown !== undefined) {
    throw new SetupError(`there is no platform ${unknown}, only ` +
      platforms().map(({ name }) => name).join(', '))
  }
  napi('create-npm-dirs', '--npm-dir', path.relative(root, output))
  return wanted.map(name => ({ name, folder: path.join(output, name) }))
}

/** The licences of what is linked into the addon. */
function addLicences (name, folder) {
  writeLicences(platforms().find(platform => platform.name === name).triple, folder)
  const file = path.join(folder, 'package.json')
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8'))
  manifest.files.push(LICENCES)
  fs.writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
}

/** The package oxidis: what package.json says under `files`, and the names of all platforms. */
function writeMain (version, folder) {
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  for (const file of [...manifest.files, 'README.md', 'LICENSE']) {
    fs.cpSync(path.join(root, file), path.join(folder, file), { recursive: true })
  }
  for (const name of ['scripts', 'devDependencies', 'overrides', 'napi']) delete manifest[name]
  manifest.optionalDependencies = Object.fromEntries(
    platforms().map(({ name }) => [`@oxidis/binding-${name}`, version]))
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  for (const file of fs.readdirSync(folder).filter(file => file.endsWith('.md'))) {
    const text = fs.readFileSync(path.join(folder, file), 'utf8')
    fs.writeFileSync(path.join(folder, file), withWholeLinks(text, manifest, folder))
  }
  return folder
}

/** A link to a file that is not packed becomes one to the repository, at the tag of the version. */
function withWholeLinks (text, { homepage, version }, folder) {
  const base = homepage.replace(/#.*/, '')
  return text.replace(/(!?)\[([^\]]*)\]\((?!https?:|#)([^)#\s]+)/g, (link, mark, label, target) => {
    if (fs.existsSync(path.join(folder, target))) return link
    // A picture is taken as it is, everything else as the page that shows it.
    const form = mark === '!' ? 'raw' : 'blob'
    return `${mark}[${label}](${base}/${form}/v${version}/${target}`
  })
}

function addonsIn (folder) {
  if (!fs.existsSync(folder)) throw new SetupError(`there is no folder ${folder} with addons`)
  return new Map(fs.readdirSync(folder, { recursive: true })
    .filter(file => file.endsWith('.node'))
    .map(file => [path.basename(file), path.join(folder, file)]))
}

function tarball (folder, output) {
  const text = execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', output], {
    cwd: folder, encoding: 'utf8', shell: process.platform === 'win32'
  })
  const [{ filename, size, unpackedSize }] = Object.values(JSON.parse(text))
  const kib = bytes => `${Math.round(bytes / 1024)} KiB`
  process.stdout.write(`  ${filename}: ${kib(size)}, ${kib(unpackedSize)} unpacked\n`)
  return path.join(output, filename)
}

module.exports = { OUTPUT, pack }

if (require.main === module) {
  runMain(() => {
    const option = name => process.argv.find(arg => arg.startsWith(`--${name}=`))
      ?.slice(name.length + 3)
    checkNode()
    ensurePackages(root)
    pack(path.resolve(option('addons') ?? path.join(root, 'artifacts')),
      option('platforms')?.split(','))
  })
}
