// Different instruments that all connections made with one API key may hold together on one data plane.

/** As many as an account streams on its three connections. */
export const INSTRUMENTS_MAX = 9_000
/** Of credentials that do not say. */
export const INSTRUMENTS_MAX_DEFAULT = 3_000
