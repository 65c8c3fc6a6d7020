// The `name` of an index's derivatives is not the tradingsymbol of the index, and the dump does not say which is
// which. Dated: names come and go with the exchanges' products (KITE.md 6; the dumps of 5 and 18 August 2026).

/** Derivatives' `name` → exchange:tradingsymbol of the index. Tokens are looked up in the dump of the day. */
export const INDEX_OF_DERIVATIVES: ReadonlyMap<string, string> = new Map([
  ['NIFTY', 'NSE:NIFTY 50'],
  ['BANKNIFTY', 'NSE:NIFTY BANK'],
  ['FINNIFTY', 'NSE:NIFTY FIN SERVICE'],
  ['MIDCPNIFTY', 'NSE:NIFTY MID SELECT'],
  ['NIFTYNXT50', 'NSE:NIFTY NEXT 50'],
  ['NIFTYFPI', 'NSE:NIFTY FPI 150'],
  ['SENSEX', 'BSE:SENSEX'],
  ['BANKEX', 'BSE:BANKEX'],
])

/** Where the underlying of an exchange's derivatives trades; commodities and currencies have none but their futures. */
export const CASH_EXCHANGE: ReadonlyMap<string, string> = new Map([
  ['NFO', 'NSE'],
  ['BFO', 'BSE'],
])

/** exchange:tradingsymbol of what an option chain is written on; undefined: nothing but its futures. */
export function spotKey(derivatives: { exchange: string; name: string }): string | undefined {
  const cash = CASH_EXCHANGE.get(derivatives.exchange)
  if (cash === undefined) return undefined
  return INDEX_OF_DERIVATIVES.get(derivatives.name) ?? `${cash}:${derivatives.name}`
}
