// Every bound of live candles, with its default.

export interface CandleBounds {
  /** Instruments that candles are made of, each owner counted. */
  instrumentsMax: number
  /** Of them, those of one owner: no two owners together keep out everybody else. */
  instrumentsPerOwnerMax: number
  /** Of one client: an instrument at two intervals counts twice. */
  perClientMax: number
  /** A client with more than this to read is sent the day anew when it has read it. */
  conflateAboveBytes: number
}

export const CANDLE_BOUNDS: CandleBounds = {
  instrumentsMax: 3_000,
  instrumentsPerOwnerMax: 1_400,
  perClientMax: 1_000,
  conflateAboveBytes: 256 * 1024,
}

/** How often ticks are taken up, and what is due is sent. */
export const PASS_EVERY_MS = 50
/** A candle that still forms is sent at most this often. */
export const FORMING_EVERY_MS = 250
/** The exchange's clock, the broker and the way here: a candle is over this long after its end, or with the next trade. */
export const CLOSE_AFTER_MS = 2_000
/** Candles of a day that are sent in one pass, to all clients: a client that joins must not make ticks wait. */
export const SNAPSHOT_CANDLES_PER_PASS = 4_000
/** An instrument that nobody wants candles of any more: a client that reconnects finds its day. */
export const LINGER_MS = 30_000
/** How long a client waits for what is stored of the day before it is sent what there is. */
export const RESTORE_MS_MAX = 2_000
