// Every bound of the client streams, with its default.

export interface StreamBounds {
  /** WebSocket, server-sent events and Kite-compatible sockets together. */
  clientsMax: number
  /** Of them, those of one API key: no two keys together keep out everybody else. */
  clientsPerKeyMax: number
  instrumentsPerClientMax: number
  /** Instruments of all stream clients together: what the process holds of their interest is some 160 MB. */
  interestsMax: number
  /** Instruments of which stream clients are sent a snapshot in any second, together: a storm must not starve ticks. */
  snapshotsPerSecondMax: number
  messageMaxBytes: number
  /** Messages a client may send in any second. */
  messagesPerSecondMax: number
  /** Above this nothing more is composed for the client until it drains. */
  conflateAboveBytes: number
  closeAboveBytes: number
  /** All clients together; the worst is closed first. */
  totalBufferedMaxBytes: number
  /** A client that falls this far behind is given the present instead of the past. */
  lagMaxMs: number
  /** A WebSocket without a pong, or server-sent events of which nothing drains, for this long are closed. */
  pongTimeoutMs: number
}

export const STREAM_BOUNDS: StreamBounds = {
  clientsMax: 5_000,
  clientsPerKeyMax: 2_000,
  instrumentsPerClientMax: 3_000,
  interestsMax: 1_000_000,
  snapshotsPerSecondMax: 250_000,
  messageMaxBytes: 256 * 1024,
  messagesPerSecondMax: 100,
  conflateAboveBytes: 256 * 1024,
  closeAboveBytes: 1024 * 1024,
  totalBufferedMaxBytes: 128 * 1024 * 1024,
  lagMaxMs: 5_000,
  pongTimeoutMs: 10_000,
}

export const FLUSH_MS = 25
/** Between two flushes turns of the latest come this often: in small numbers nobody waits long for those before it. */
export const LATEST_STEP_MS = 5
export const PING_EVERY_MS = 5_000
export const HEARTBEAT_S = 5
export const REVOCATION_CHECK_MS = 10_000
/** A resume point is for the subscriptions that follow right after connecting. */
export const RESUME_WINDOW_MS = 10_000
/** How much is composed at a time for a client that catches up, takes its snapshots or has many instruments. */
export const MESSAGE_BYTES = 64 * 1024
/** Messages of that kind for one client in one flush. */
export const MESSAGES_PER_TURN = 16
/** Packets of the ring that are looked at in one flush for clients that catch up, together: a few ms. */
export const REPLAY_PER_FLUSH = 2_000_000
/** Of a request on the stream port: 3,000 tokens fit in the query of server-sent events. */
export const REQUEST_HEAD_MAX_BYTES = 64 * 1024

/** Connections of the stream port beyond its clients: handshakes, refusals, and requests that are no streams. */
export const CONNECTIONS_HEADROOM = 1_000
/** The head of a request must be here by then, and a request as a whole: nobody needs longer for a GET. */
export const REQUEST_HEAD_TIMEOUT_MS = 10_000
export const REQUEST_TIMEOUT_MS = 30_000
/** A connection on which nothing moves, in either direction; streams beat more often. */
export const CONNECTION_IDLE_MS = 30_000
