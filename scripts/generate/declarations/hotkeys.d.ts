/** What the server counts: see `hotkeysStart`. */
export interface HotkeysStartOptions {
  /** By what a key is hot, `CPU` time or bytes over the `NET`; `count` says how many are named. */
  METRICS: { count: RedisInteger; CPU?: boolean; NET?: boolean }
  /** How many keys to report. Default: the server's. */
  COUNT?: RedisInteger
  /** Seconds until the tracking stops by itself. Default: it goes on. */
  DURATION?: RedisInteger
  /** The server looks at one of this many commands. Default 1: at all. */
  SAMPLE?: RedisInteger
  /** Only keys of these slots; `count` says how many are named. Default: all. */
  SLOTS?: { count: RedisInteger; slots: readonly RedisInteger[] }
}

/** The report. A field that the tracking was not asked for may be missing. */
export interface HotkeysReport {
  /** 1 while tracking goes on, else 0. */
  trackingActive: number
  sampleRatio: number
  selectedSlots: { start: number; end: number }[]
  sampledCommandsSelectedSlotsUs?: number
  allCommandsSelectedSlotsUs?: number
  allCommandsAllSlotsUs: number
  netBytesSampledCommandsSelectedSlots?: number
  netBytesAllCommandsSelectedSlots?: number
  netBytesAllCommandsAllSlots: number
  collectionStartTimeUnixMs: number
  collectionDurationMs: number
  totalCpuTimeSysMs?: number
  totalCpuTimeUserMs?: number
  totalNetBytes?: number
  byCpuTimeUs?: { key: string; value: number }[]
  byNetBytes?: { key: string; value: number }[]
}
