export interface FunctionListOptions {
  /** A glob pattern. */
  LIBRARYNAME?: RedisArgument
}

export interface FunctionLibrary<T> {
  library_name: T
  engine: T
  functions: { name: T; description: T | null; flags: T[] }[]
}

export interface FunctionRestoreOptions {
  /** What happens to libraries that the server has already. Default APPEND. */
  mode?: 'FLUSH' | 'APPEND' | 'REPLACE'
}

export interface FunctionStats<T> {
  running_script: { name: T; command: T[]; duration_ms: number } | null
  engines: Record<string, { libraries_count: number; functions_count: number }>
}
