// Every bound of the order stream, with its default.

export interface OrderStreamBounds {
  /** Of one connection: the id of a server-sent event names each of them. */
  accountsPerClientMax: number
  /** Accounts of all connections together, each connection counted: some 20 MB. */
  cursorsMax: number
  /** Events of one account in one page, and how many such pages are read at once. */
  eventsPerPageMax: number
  pagesPerPassMax: number
  /** A client that has not read more than this is not read for until it has. */
  pauseAboveBytes: number
  /** For so long; then it is closed, and may go on from its cursor. */
  behindMaxMs: number
  /** What other instances and the control plane write is found by looking. */
  lookEveryMs: number
  /** Between two passes. */
  pauseMs: number
  /** Without an answer of Postgres for so long clients are told. */
  staleAfterMs: number
}

export const ORDER_STREAM_BOUNDS: OrderStreamBounds = {
  accountsPerClientMax: 200,
  cursorsMax: 100_000,
  eventsPerPageMax: 100,
  pagesPerPassMax: 20,
  pauseAboveBytes: 256 * 1024,
  behindMaxMs: 30_000,
  lookEveryMs: 500,
  pauseMs: 5,
  staleAfterMs: 2_000,
}
