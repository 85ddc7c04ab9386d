'use strict'

// Prints the parts of Node that are loaded once the file in the argument is, or nothing is without
// one. A program in a file, because `node -e` loads more parts itself.

if (process.argv[2] !== undefined) require(process.argv[2])
console.log(JSON.stringify(process.moduleLoadList
  .filter(entry => entry.startsWith('NativeModule ')).map(entry => entry.split(' ')[1])))
