// The resolver of ES modules for faces.cjs.

import { fileURLToPath, pathToFileURL } from 'node:url'

import replacements from './replacements.cjs'

export function resolve (specifier, context, next) {
  const parent = context.parentURL?.startsWith('file:') ? fileURLToPath(context.parentURL) : ''
  const file = replacements.replacement(specifier, parent)
  return next(file === undefined ? specifier : pathToFileURL(file).href, context)
}
