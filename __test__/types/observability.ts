// What those who watch can write: channels, messages, OpenTelemetry, the doctor.

import { subscribe, tracingChannel } from 'node:diagnostics_channel'
import {
  BatchOperationContext, ChannelEvents, CHANNELS, ClientErrorEvent, CommandTraceContext,
  ConnectTraceContext, createClient, OpenTelemetry, OpenTelemetryError, OxidisError
} from 'oxidis'
import { diagnose, DoctorFinding, DoctorReport } from 'oxidis/doctor'

const name: 'node-redis:command' = CHANNELS.TRACE_COMMAND

subscribe(CHANNELS.ERROR, message => {
  const { error, retryCount }: ClientErrorEvent = message as ChannelEvents[typeof CHANNELS.ERROR]
  const text: string = error.message
  const count: number | undefined = retryCount
  void [text, count]
})

export function onCommand (message: CommandTraceContext): string {
  const port: number | undefined = message.serverPort
  return `${message.command} ${message.args.join(' ')} ${port} ${message.database}`
}

export function onBatch (message: BatchOperationContext | ConnectTraceContext): number {
  return 'batchSize' in message ? message.batchSize : 0
}

tracingChannel(name)

OpenTelemetry.init({
  metrics: { enabled: true, enabledMetricGroups: ['command', 'resiliency'], hideStreamNames: true },
  traces: { enabled: true, excludeCommands: ['PING'] }
})
// @ts-expect-error: there is no such group
OpenTelemetry.init({ metrics: { enabledMetricGroups: ['all'] } })
export const isOurs: boolean = new OpenTelemetryError('x') instanceof OxidisError

export async function health (): Promise<number> {
  const report: DoctorReport = await diagnose({ url: 'redis://localhost' }, { load: false })
  const [finding]: DoctorFinding[] = report.findings
  if (finding.level === 'error') return 2
  await diagnose('redis://localhost')
  await diagnose(createClient())
  await diagnose({ rootNodes: [{ url: 'redis://localhost' }] })
  await diagnose({ name: 'x', sentinelRootNodes: [{ host: 'localhost', port: 1 }] })
  // @ts-expect-error: it is a number
  await diagnose({}, { timeout: '1' })
  return report.status
}
