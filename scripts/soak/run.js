'use strict'

/*
 * One run: starts the scenes, lets faults happen to them, samples, and judges at the end.
 */

const { step } = require('../setup')
const { faultsOf } = require('./faults')
const { Random } = require('./random')
const { Recorder } = require('./recorder')
const { judge, write } = require('./report')
const { SCENES } = require('./scenes')

/** Resolves to the exit status. */
async function soak ({ minutes, seed, only, report }) {
  const names = only.length === 0 ? Object.keys(SCENES) : only
  const unknown = names.find(name => SCENES[name] === undefined)
  if (unknown) throw new Error(`no scene ${unknown}, known are ${Object.keys(SCENES).join(', ')}`)
  const random = new Random(seed)
  const scenes = []
  const recorder = new Recorder(scenes)
  try {
    for (const name of names) {
      scenes.push(await new SCENES[name](name).start())
      step(`the ${name} is under load`)
    }
    await Promise.all(scenes.map(scene => scene.oracle.healed()))
    recorder.start()
    const end = performance.now() + minutes * 60_000
    await Promise.all(scenes.map(scene => trouble(scene, random.fork(), recorder, end)))
    await rest(QUIET)
    recorder.stop()
    const verdict = { minutes, seed, wrong: recorder.problems }
    for (const scene of scenes) await finish(scene, verdict)
    judge(recorder, verdict)
    write(report, recorder, scenes, verdict)
    return verdict.wrong.length === 0 ? 0 : 1
  } finally {
    recorder.stop()
    await Promise.allSettled(scenes.map(scene => scene.stop()))
  }
}

/** Lets one fault after the other happen to a scene. Each has to be over before the next one. */
async function trouble (scene, random, recorder, end) {
  const faults = faultsOf(scene)
  await rest(CALM)
  while (performance.now() < end - CALM) {
    const fault = random.oneOf(faults)
    const note = recorder.begin(scene, fault.name)
    try {
      await fault.run(random)
      note.healed = await scene.oracle.healed({ within: HEALING })
    } catch (error) {
      recorder.problem(`${scene.name}, ${fault.name}: ${error.message}`)
    }
    recorder.finish(note)
    await rest(random.between(SHORTEST_PAUSE, LONGEST_PAUSE))
  }
}

/** Ends the load of a scene and holds what was acknowledged against what the servers have. */
async function finish (scene, { wrong }) {
  for (const end of [
    () => scene.oracle.healed({ within: HEALING }),
    () => scene.oracle.stop(),
    () => scene.verify()
  ]) {
    try {
      await end()
    } catch (error) {
      wrong.push(`${scene.name}: ${error.message}`)
    }
  }
}

function rest (ms) {
  return new Promise(resolve => { setTimeout(resolve, ms) })
}

/** Without a fault (ms): at the beginning and before the end, to compare the two. */
const CALM = 8_000
/** The end of the load that memory and descriptors are read from (ms). */
const QUIET = 5_000
/** Between two faults of a scene (ms). */
const SHORTEST_PAUSE = 1_000
const LONGEST_PAUSE = 6_000
/** How long a scene may take to serve everybody again (ms): a failover takes some seconds. */
const HEALING = 60_000

module.exports = { soak }
