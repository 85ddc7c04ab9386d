/** What all errors of oxidis have in common. */
export class OxidisError extends Error {
  constructor(message: string, details?: OxidisErrorDetails)
  /** The system's code (`ECONNREFUSED`) where the error stems from the system, else the kind. */
  readonly code: string
  /** Stable: what has failed. For an `ErrorReply` the first word of the server's text. */
  readonly kind: string
  /** Whether the server may have run the command; undefined where no command was lost. */
  readonly applied?: 'no' | 'unknown'
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
  readonly cause?: unknown
}

export interface OxidisErrorDetails {
  code?: string
  applied?: 'no' | 'unknown'
  retryable?: boolean
  cause?: unknown
}

/** The server answered with an error: `WRONGTYPE`, `NOAUTH` ... */
export class ErrorReply extends OxidisError {
  /** The command's name. */
  readonly command?: string
}
/** A connection could not be made, or was lost with commands under way. */
export class ConnectionError extends OxidisError {}
/** The server, or something in between, has closed the connection. */
export class SocketClosedUnexpectedlyError extends ConnectionError {}
/** The server has not answered for too long, so that its connection was given up. */
export class SocketTimeoutError extends ConnectionError {}
/** Connecting took longer than `socket.connectTimeout`, or than `connect({ timeout })`. */
export class ConnectionTimeoutError extends ConnectionError {}
/** `reconnectStrategy` has returned an Error, so there is no other attempt to connect. */
export class ReconnectStrategyError extends ConnectionError {
  constructor(originalError: Error, socketError: unknown)
  /** What the strategy has returned. */
  readonly originalError: Error
  /** Why there was no connection. */
  readonly socketError: unknown
}
/** The deadline of a command has passed, or that of the wait for a connection. */
export class TimeoutError extends OxidisError {}
/** The client has been closed. */
export class ClientClosedError extends OxidisError {}
/** The client was closed while the command was under way. */
export class DisconnectsClientError extends ClientClosedError {}
/** There is no connection, and `disableOfflineQueue` is set. */
export class ClientOfflineError extends OxidisError {}
/** `commandsQueueMaxLength` or `maxQueuedBytes` is reached. */
export class QueueFullError extends OxidisError {}
/** The command's AbortSignal was aborted. */
export class AbortError extends OxidisError {}
/** A watched key changed before EXEC. */
export class WatchError extends OxidisError {}
/** The server sent something that is not RESP, or that breaks a limit. */
export class ProtocolError extends OxidisError {}
/** None of the root nodes could be reached. */
export class RootNodesUnavailableError extends OxidisError {}
/** A command was redirected too often. */
export class MaxCommandRedirectionsError extends OxidisError {}
/** The primary has changed while an iterator went through its keys: it has to begin again. */
export class ScanIteratorInterruptedError extends OxidisError {}
/** `OpenTelemetry.init` was called twice, or without `@opentelemetry/api`. */
export class OpenTelemetryError extends OxidisError {}
/** Commands of a transaction or a pipeline failed. */
export class MultiErrorReply extends ErrorReply {
  constructor(
    replies: unknown[], errorIndexes: number[], details?: OxidisErrorDetails & { message?: string })
  /** All replies, errors among them; with `EXECABORT` the refused commands' errors only. */
  readonly replies: unknown[]
  /** Which of them are errors. */
  readonly errorIndexes: number[]
  errors(): Generator<Error>
}
