/** Slots from `start` to `end`, both included. */
export interface SlotRange {
  start: RedisInteger
  end: RedisInteger
}

/** A connection between a node and a peer of its cluster. */
export interface ClusterLink<T> {
  direction: T
  node: T
  'create-time': number
  events: T
  'send-buffer-allocated': number
  'send-buffer-used': number
}

/** Which nodes serve the slots from `from` to `to`, both included. */
export interface ClusterSlots<T> {
  from: number
  to: number
  master: ClusterSlotsNode<T>
  replicas: ClusterSlotsNode<T>[]
}

export interface ClusterSlotsNode<T> {
  host: T
  port: number
  id: T
}
