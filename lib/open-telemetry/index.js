'use strict'

/*
 * `OpenTelemetry.init`: metrics and spans, by the package `@opentelemetry/api` of the application.
 *
 * Owns nothing but the one initialization. Everything is made of what the diagnostics channels
 * tell, so nothing is slower before it is called.
 */

const { OpenTelemetryError } = require('../errors')
const version = require('../version')
const { record } = require('./metrics')
const { parse } = require('./options')
const { trace } = require('./spans')

let isInitialized = false

/** node-redis's entry point, which is a class there. */
const OpenTelemetry = {
  /**
   * Begins to record. To be called once, before or after clients are made.
   * @param {{ metrics?: object, traces?: object }} [config] see docs/observability.md
   */
  init (config) {
    if (isInitialized) throw new OpenTelemetryError('OpenTelemetry already initialized')
    const { metrics, traces } = parse(config)
    const api = load()
    isInitialized = true
    if (metrics.enabled) {
      record((metrics.meterProvider ?? api.metrics).getMeter(NAME, version), metrics)
    }
    if (traces.enabled) {
      trace((traces.tracerProvider ?? api.trace).getTracer(NAME, version), api, traces)
    }
  }
}

function load () {
  try {
    return require('@opentelemetry/api')
  } catch (cause) {
    throw new OpenTelemetryError('@opentelemetry/api not found: npm install @opentelemetry/api',
      { cause })
  }
}

/** The name of the instrumentation, which every metric and span carries. */
const NAME = 'oxidis'

module.exports = { OpenTelemetry }
