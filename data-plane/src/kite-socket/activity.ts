// How many ticks a connection has received of each segment, since it was made. The hot path only adds one.
export interface Activity {
  /** Indexed by the low byte of the instrument token; wraps after 2^32 ticks of a segment. */
  readonly ticks: Uint32Array
}

export function createActivity(): Activity {
  return { ticks: new Uint32Array(256) }
}
