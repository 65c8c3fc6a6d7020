// Every bound of the client streams, with its default.

export interface StreamBounds {
  clientsMax: number
  instrumentsPerClientMax: number
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
  pongTimeoutMs: number
}

export const STREAM_BOUNDS: StreamBounds = {
  clientsMax: 1_000,
  instrumentsPerClientMax: 3_000,
  messageMaxBytes: 256 * 1024,
  messagesPerSecondMax: 100,
  conflateAboveBytes: 256 * 1024,
  closeAboveBytes: 1024 * 1024,
  totalBufferedMaxBytes: 128 * 1024 * 1024,
  lagMaxMs: 5_000,
  pongTimeoutMs: 10_000,
}

export const FLUSH_MS = 25
export const PING_EVERY_MS = 5_000
export const HEARTBEAT_S = 5
export const REVOCATION_CHECK_MS = 10_000
/** A resume point is for the subscriptions that follow right after connecting. */
export const RESUME_WINDOW_MS = 10_000
/** How much JSON is composed for one client at a time while it catches up. */
export const CATCH_UP_BYTES = 64 * 1024
