/** Go reads numbers where the broker has them; what is not known is 0 there. */
export const zeros = (row: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value ?? (TEXTS.has(name) ? null : 0)]),
  )
const TEXTS = new Set([
  ...['isin', 'authorised_date', 'collateral_type', 'exchange_order_id', 'type', 'exchange'],
  ...['tradingsymbol', 'transaction_tax_type'],
])
