// What the dump does not say of a contract: of how much of its underlying one quantity is where quantities are lots, and how far
// from its reference price an order may be before the exchange refuses it. Dated, each with where it is from. A name that is
// not here is not known: no guess takes its place.

interface Terms {
  /** First IST day it holds, as far as we know; until the name's next row. */
  from: string
  unconfirmed: boolean
  source: string
}

interface MultiplierRow extends Terms {
  exchanges: readonly string[]
  /** Rupees that a price one rupee higher makes of one lot, by the derivatives' `name`. */
  multipliers: Readonly<Record<string, number>>
}

/** One circular of MCX or on currency was never found: the broker's page, others' tables, the contracts' specification. */
export const MULTIPLIERS: readonly MultiplierRow[] = [
  {
    ...{ exchanges: ['MCX'], from: '2025-12-01', unconfirmed: true },
    source:
      'support.zerodha.com: trading commodity options, lot sizes, undated; gold is quoted for 10 g, zinc for a kg',
    multipliers: {
      ...{ CRUDEOIL: 100, CRUDEOILM: 10, NATURALGAS: 1_250, NATGASMINI: 250, COPPER: 2_500, ZINC: 5_000 },
      ...{ GOLD: 100, GOLDM: 10, SILVER: 30, SILVERM: 5 },
    },
  },
  {
    ...{ exchanges: ['MCX'], from: '2025-12-01', unconfirmed: true },
    source: "another broker's table of 12 October 2023; no circular of MCX found",
    multipliers: {
      ...{ ALUMINI: 1_000, ALUMINIUM: 5_000, LEAD: 5_000, LEADMINI: 1_000, ZINCMINI: 1_000 },
      ...{ GOLDGUINEA: 1, GOLDPETAL: 1, SILVERMIC: 1 },
    },
  },
  {
    ...{ exchanges: ['CDS', 'BCD'], from: '2025-12-01', unconfirmed: true },
    source:
      'contract specification (1,000 units; yen are quoted for 100, and a lot is 100,000); no circular found',
    multipliers: { USDINR: 1_000, EURINR: 1_000, GBPINR: 1_000, JPYINR: 1_000 },
  },
]

interface ProtectionRow extends Terms {
  exchange: string
  options: boolean
  /** undefined: every name that no row names. */
  name?: string
  percent: number
  rupeesMin: number
}

/** BSE's limit price protection; NSE's numbers were not found (EXCHANGES of the facts: order controls). */
export const PRICE_PROTECTIONS: readonly ProtectionRow[] = [
  bse({ options: true, percent: 40, rupeesMin: 20, from: '2026-07-06', source: 'BSE 20260629-43' }),
  bse({ options: false, percent: 3, rupeesMin: 1.5, from: '2026-07-06', source: 'BSE 20260629-43' }),
  ...['SENSEX', 'BANKEX', 'SENSEX50'].flatMap((name) => {
    // A notice of 13 February 2026 on the same is cited and was not found.
    const terms = { name, from: '2025-12-01', unconfirmed: true, source: 'BSE 20251128-56' }
    return [
      bse({ ...terms, options: true, percent: 40, rupeesMin: 20 }),
      bse({ ...terms, options: false, percent: 2, rupeesMin: 200 }),
    ]
  }),
]

function bse(
  row: Omit<ProtectionRow, 'exchange' | 'unconfirmed'> & { unconfirmed?: boolean },
): ProtectionRow {
  return { exchange: 'BFO', unconfirmed: false, ...row }
}

interface Contract {
  exchange: string
  name: string
  instrument_type: string
  expiry: string | null
}

const holds = (date: string) => (row: Terms) => row.from <= date

/** Of these a quantity is a number of units. */
const UNIT_EXCHANGES = new Set(['NSE', 'BSE', 'NFO', 'BFO'])

export const isInUnits = (exchange: string) => UNIT_EXCHANGES.has(exchange)

/** Rupees that a price one rupee higher makes of one quantity; undefined: not known. */
export function quantityMultiplier(contract: Pick<Contract, 'exchange' | 'name'>, date: string) {
  return isInUnits(contract.exchange) ? 1 : multiplierOf(contract, date)?.multiplier
}

/** Of one lot; undefined: not known. */
export function multiplierOf({ exchange, name }: Pick<Contract, 'exchange' | 'name'>, date: string) {
  const row = MULTIPLIERS.filter(holds(date)).findLast(
    ({ exchanges, multipliers }) => exchanges.includes(exchange) && Object.hasOwn(multipliers, name),
  )
  const multiplier = row?.multipliers[name]
  if (!row || multiplier === undefined) return undefined
  return { multiplier, from: row.from, unconfirmed: row.unconfirmed, source: row.source }
}

/** Undefined: not known, or not a derivative. */
export function priceProtectionOf({ exchange, name, instrument_type, expiry }: Contract, date: string) {
  if (expiry === null) return undefined
  const options = instrument_type === 'CE' || instrument_type === 'PE'
  const rows = PRICE_PROTECTIONS.filter(
    (row) => holds(date)(row) && row.exchange === exchange && row.options === options,
  )
  const row = rows.findLast((each) => each.name === name) ?? rows.findLast((each) => each.name === undefined)
  if (!row) return undefined
  const { percent, rupeesMin, from, unconfirmed, source } = row
  return { percent, rupees_min: rupeesMin, from, unconfirmed, source }
}
