'use strict'

// Large strings and Buffers lie in memory that the garbage collector does not own. They are freed
// before they pile up, stay while anything refers to them, and end with their thread. Where a
// runtime has no such values, they are copied.

const assert = require('node:assert')
const { execFileSync, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')

const { startServer } = require('../support/redis-server')
const { root, runScript } = require('./child-script')

const KINDS = `
  const kinds = {
    ascii: 'x'.repeat(1 << 20), latin1: 'é'.repeat(1 << 19), other: '漢'.repeat(350000)
  }
`

describe('memory of large values', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  async function prints (source, expected, options) {
    const { code, signal, stdout, stderr } =
      await runScript(source, { args: [server.url], ...options })
    assert.deepStrictEqual({ code, signal, stderr, stdout },
      { code: 0, signal: null, stderr: '', stdout: expected })
  }

  it('is freed while a program reads more of them than there is memory', () => prints(`
    const client = oxidis.createClient(process.argv[1])
    const buffers = client.withTypeMapping({ 36: Buffer })
    ${KINDS}
    const go = async () => {
      for (const [kind, value] of Object.entries(kinds)) {
        await client.set(kind, value)
        // A Buffer has no kind.
        for (const reader of kind === 'ascii' ? [client, buffers] : [client]) {
          // A gigabyte; nothing of it is kept.
          let most = 0
          for (let round = 0; round < 250; round++) {
            await Promise.all([1, 2, 3, 4].map(() => reader.get(kind)))
            most = Math.max(most, process.memoryUsage.rss())
          }
          console.log(most < 600 * 2 ** 20 || most)
        }
      }
      await client.close()
    }
    go()`, 'true\n'.repeat(4), { patience: 300_000 }))

  it('stays what it was while anything refers to it, and is given back then', () => prints(`
    const client = oxidis.createClient(process.argv[1])
    ${KINDS}
    const go = async () => {
      const kept = []
      for (const [kind, value] of Object.entries(kinds)) {
        await client.set(kind, value)
        for (let round = 0; round < 20; round++) {
          const reply = await client.get(kind)
          // A part of a string refers to all of it.
          kept.push([kind, round % 2 === 0 ? reply : reply.slice(5, -5)])
          if (round % 5 === 0) gc()
        }
      }
      await client.close()
      gc()
      console.log(kept.every(([kind, text], n) =>
        text === (n % 2 === 0 ? kinds[kind] : kinds[kind].slice(5, -5))))
      const held = process.memoryUsage().external
      kept.length = 0
      for (let turn = 0; turn < 100 && process.memoryUsage().external > 10e6; turn++) {
        gc()
        await new Promise(setImmediate)
      }
      console.log(held > 30e6, process.memoryUsage().external < 10e6)
    }
    go()`, 'true\ntrue true\n', { flags: ['--expose-gc'] }))

  it('is freed with a worker that is terminated while it has much of it', () => prints(`
    const { once } = require('node:events')
    const { Worker } = require('node:worker_threads')
    const source = ${JSON.stringify(`
      const { parentPort, workerData } = require('node:worker_threads')
      const client = require(${JSON.stringify(root)}).createClient(workerData)
      const buffers = client.withTypeMapping({ 36: Buffer })
      ${KINDS}
      const kept = []
      const go = async () => {
        for (const [kind, value] of Object.entries(kinds)) {
          await client.set('worker:' + kind, value)
          for (let n = 0; n < 10; n++) {
            kept.push(await client.get('worker:' + kind), await buffers.get('worker:' + kind))
          }
        }
        parentPort.postMessage('full')
        for (;;) await client.get('worker:ascii')
      }
      go()`)}
    const go = async () => {
      const rss = []
      for (let round = 0; round < 12; round++) {
        const worker = new Worker(source, { eval: true, workerData: process.argv[1] })
        await once(worker, 'message')
        await worker.terminate()
        rss.push(process.memoryUsage.rss())
      }
      // Each had 50 MB.
      console.log(rss.at(-1) - rss[2] < 200e6 || rss)
    }
    go()`, 'true\n'))

  it('is copied where the runtime has no external values', async t => {
    const { glibcVersionRuntime } = process.report.getReport().header
      if (!glibcVersionRuntime || spawnSync('cc', ['--version']).error) {
      return t.skip('needs glibc and a C compiler: functions of Node-API are replaced by others')
    }
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-external-'))
    try {
      const [source, library] = ['forbid.c', 'forbid.so'].map(name => path.join(folder, name))
      fs.writeFileSync(source, FORBID)
      execFileSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'])
      const env = { LD_PRELOAD: library, FORBIDDEN_LOG: path.join(folder, 'log') }
      await prints(`
        const client = oxidis.createClient(process.argv[1])
        const buffers = client.withTypeMapping({ 36: Buffer })
        ${KINDS}
        const go = async () => {
          const same = []
          for (const [kind, value] of Object.entries(kinds)) {
            await client.set(kind, value)
            for (let round = 0; round < 20; round++) {
              same.push(await client.get(kind) === value)
              same.push((await buffers.get(kind)).equals(Buffer.from(value)))
            }
          }
          console.log(same.length, same.every(Boolean))
          await client.close()
        }
        go()`, '120 true\n', { env })
      const called = fs.readFileSync(env.FORBIDDEN_LOG, 'utf8')
      for (const letter of 'BLU') assert.ok(called.includes(letter), `${letter} in ${called}`)
    } finally {
      fs.rmSync(folder, { recursive: true, force: true })
    }
  })
})

// As Electron does it: no external Buffers; strings are copied, and their memory is freed at once.
// The addon looks its functions up in the process, where the program's own come first, so the
// look-up itself is replaced.
const FORBID = `
  #define _GNU_SOURCE
  #include <dlfcn.h>
  #include <stdbool.h>
  #include <stddef.h>
  #include <stdint.h>
  #include <stdio.h>
  #include <stdlib.h>
  #include <string.h>
  typedef void *napi_env, *napi_value;
  typedef int napi_status;
  typedef void (*finalize)(napi_env, void *, void *);
  napi_status napi_create_string_latin1(napi_env, const char *, size_t, napi_value *);
  napi_status napi_create_string_utf16(napi_env, const uint16_t *, size_t, napi_value *);

  static void note(char letter) {
    FILE *log = fopen(getenv("FORBIDDEN_LOG"), "a");
    if (log) { fputc(letter, log); fclose(log); }
  }
  static napi_status buffer(napi_env env, size_t length, void *data, finalize free, void *hint,
                            napi_value *result) {
    note('B');
    return 22; /* napi_no_external_buffers_allowed */
  }
  static napi_status latin1(napi_env env, char *text, size_t length, finalize free, void *hint,
                            napi_value *result, bool *copied) {
    note('L');
    napi_status status = napi_create_string_latin1(env, text, length, result);
    if (status == 0) { *copied = true; free(env, text, hint); }
    return status;
  }
  static napi_status utf16(napi_env env, uint16_t *text, size_t length, finalize free, void *hint,
                           napi_value *result, bool *copied) {
    note('U');
    napi_status status = napi_create_string_utf16(env, text, length, result);
    if (status == 0) { *copied = true; free(env, text, hint); }
    return status;
  }
  void *dlsym(void *handle, const char *name) {
    static void *(*found)(void *, const char *);
    const char *versions[] = { "GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5" };
    for (int i = 0; found == NULL && i < 3; i++) found = dlvsym(RTLD_NEXT, "dlsym", versions[i]);
    if (strcmp(name, "napi_create_external_buffer") == 0) return buffer;
    if (strcmp(name, "node_api_create_external_string_latin1") == 0) return latin1;
    if (strcmp(name, "node_api_create_external_string_utf16") == 0) return utf16;
    return found(handle, name);
  }
`
