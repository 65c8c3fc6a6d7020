// The most one order may ask for of an index's derivatives. The exchanges publish it monthly in their contract files; the
// broker's dump does not have it. Dated, with its circular; a month without a row is a guess from the newest.

interface FreezeRow {
  /** First IST day it holds; until the name's next row. */
  from: string
  /** Last IST day the circular is known to hold. */
  confirmedUntil: string | undefined
  source: string
  quantities: Readonly<Record<string, number>>
}

const nse = (
  from: string,
  confirmedUntil: string,
  source: string,
  quantities: readonly number[],
): FreezeRow => ({
  from,
  confirmedUntil,
  source: `NSE ${source}`,
  quantities: Object.fromEntries(
    ['BANKNIFTY', 'NIFTY', 'FINNIFTY', 'MIDCPNIFTY', 'NIFTYNXT50'].map((name, index) => [
      name,
      quantities[index] ?? 0,
    ]),
  ),
})

export const FREEZE_QUANTITIES: readonly FreezeRow[] = [
  nse('2025-12-01', '2025-12-31', 'FAOP71540', [600, 1800, 1200, 2800, 600]),
  nse('2026-01-01', '2026-01-31', 'FAOP72094', [600, 1800, 1200, 2800, 600]),
  {
    from: '2026-01-01',
    confirmedUntil: undefined,
    source: 'the January 2026 series; no circular found',
    quantities: { SENSEX: 1000, BANKEX: 900 },
  },
  nse('2026-02-01', '2026-03-01', 'FAOP72534', [600, 1800, 1800, 2800, 600]),
  nse('2026-03-02', '2026-03-31', 'FAOP73039', [600, 1800, 1200, 2800, 600]),
  nse('2026-04-01', '2026-05-03', 'FAOP73531', [900, 1800, 1800, 2800, 600]),
  nse('2026-05-04', '2026-05-31', 'FAOP73991', [900, 1800, 1800, 2800, 600]),
  nse('2026-06-01', '2026-06-30', 'FAOP74469', [900, 1800, 1800, 2800, 600]),
  nse('2026-07-01', '2026-08-02', 'FAOP74942', [600, 1800, 1800, 2800, 600]),
  nse('2026-08-03', '2026-08-31', 'FAOP75521', [600, 1800, 1800, 2800, 600]),
  {
    from: '2026-08-12',
    confirmedUntil: '2026-08-31',
    source: 'NSE FAOP75239',
    quantities: { NIFTYFPI: 8500 },
  },
]

export interface FreezeQuantity {
  quantity: number
  from: string
  unconfirmed: boolean
  source: string
}

/** Of derivatives by their `name` in the dump, on an IST day; undefined: none known. */
export function freezeQuantityOf(name: string, date: string): FreezeQuantity | undefined {
  const row = FREEZE_QUANTITIES.findLast((each) => each.from <= date && Object.hasOwn(each.quantities, name))
  const quantity = row?.quantities[name]
  if (!row || quantity === undefined) return undefined
  const { from, confirmedUntil, source } = row
  return { quantity, from, unconfirmed: confirmedUntil === undefined || date > confirmedUntil, source }
}
