'use strict'

// Runs before `npm publish` in a checkout, and refuses. package.json of a checkout names no package
// with an addon, so what would be published could not be loaded by anybody.

process.stderr.write('a checkout is not published: `npm run release:pack` writes the packages to ' +
  'target/packages, and docs/releasing.md says how to publish them\n')
process.exitCode = 1
