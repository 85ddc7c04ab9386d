import {
  RedisClient, RedisClientOptions, RedisClusterOptions, RedisSentinelOptions
} from './index'

/** What the doctor has found. */
export interface DoctorFinding {
  /** `ok` and `note` are no faults. */
  level: 'ok' | 'note' | 'warning' | 'error'
  /** The group of checks: `name`, `tcp`, `tls`, `login` ... */
  check: string
  /** A stable name, which docs/doctor.md explains. What is `ok` has none. */
  code?: string
  /** What is so. Holds no secret. */
  text: string
  /** What to do. */
  remedy?: string
}

/** What `diagnose` resolves to. */
export interface DoctorReport {
  /** The server, or the servers, that were examined. */
  target: string
  /** 0: nothing is wrong; 1: there are warnings; 2: it cannot be used as the options say. */
  status: 0 | 1 | 2
  /** How long it took. */
  tookMs: number
  findings: DoctorFinding[]
  /** What was measured, by the group of checks: `latency`, `server`, `tls` ... */
  measured: Record<string, unknown>
}

/**
 * Examines a server, a cluster or a primary that Sentinel watches over. Writes nothing to it.
 * @param options what `createClient`, `createCluster` or `createSentinel` is called with, a URL, or
 *   a client of one server
 */
export function diagnose(
  options?: string | RedisClientOptions | RedisClusterOptions | RedisSentinelOptions | RedisClient,
  how?: {
    /** Measure the throughput, for 3 seconds. Default false. */
    load?: boolean
    /** Ends after so many ms with what was found. Default 30,000. */
    timeout?: number
  }
): Promise<DoctorReport>
