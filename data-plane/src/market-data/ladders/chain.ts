// What the registry lists for a ladder: the strikes of its nearest expiries with their tokens, and what its price
// comes from. Nothing is computed from a step: strikes are uneven and differ by expiry and by type.
import { type OptionType, spotKey } from '@ticker/shared/domain'
import type { DirectoryInstrument, InstrumentDirectory } from '../instrument-directory.ts'

export interface LadderRule {
  owner: string
  id: string
  /** Another with every change of the rule. */
  revision: string
  underlying: string
  exchange: string
  /** On each side of the money. */
  strikes: number
  expiries: number
  option_types: readonly OptionType[]
  futures: boolean
}

export interface LadderExpiry {
  expiry: string
  /** Ascending; those that any of the wanted types is listed at. */
  strikes: readonly number[]
  /** The wanted types' tokens of a strike. */
  tokens: ReadonlyMap<number, readonly number[]>
  /** The future that expires then or next after it. */
  future: number | undefined
}

export interface Priced {
  token: number
  /** exchange:tradingsymbol */
  key: string
}

export interface Chain {
  /** The nearest live expiries, as many as the rule wants. */
  expiries: readonly LadderExpiry[]
  /** Index or share; for commodities and currencies, and where the dump lists neither, the near future. */
  underlying: Priced | undefined
  /** The near future, for when the cash market stands still while the options trade on. */
  standIn: Priced | undefined
}

export function chainOf(
  directory: InstrumentDirectory,
  rule: Pick<LadderRule, 'exchange' | 'underlying' | 'option_types' | 'expiries' | 'futures'>,
  isOver: (exchange: string, expiry: string) => boolean,
): Chain {
  const live = directory
    .derivativesOf(rule.exchange, rule.underlying)
    .filter(({ expiry }) => expiry !== null && !isOver(rule.exchange, expiry))
  const options = Map.groupBy(
    live.filter(({ instrument_type }) => rule.option_types.some((type) => type === instrument_type)),
    ({ expiry }) => expiry ?? '',
  )
  const futures = live
    .filter(({ instrument_type }) => instrument_type === 'FUT')
    .sort((a, b) => compare(a.expiry ?? '', b.expiry ?? ''))
  const futureAfter = (expiry: string) => futures.find((future) => (future.expiry ?? '') >= expiry)
  const nearest = [...options].sort(([a], [b]) => compare(a, b)).slice(0, rule.expiries)
  const expiries = nearest.map(([expiry, contracts]) => ({
    expiry,
    ...strikesOf(contracts),
    future: rule.futures ? futureAfter(expiry)?.instrument_token : undefined,
  }))
  const key = spotKey({ exchange: rule.exchange, name: rule.underlying })
  const spot = key === undefined ? undefined : directory.byKey(key)
  const near = futureAfter(expiries[0]?.expiry ?? '')
  return { expiries, underlying: priced(spot ?? near), standIn: spot && priced(near) }
}

function strikesOf(contracts: readonly DirectoryInstrument[]) {
  const tokens = new Map<number, number[]>()
  for (const { strike, instrument_token } of contracts) {
    const known = tokens.get(strike)
    if (known) known.push(instrument_token)
    else tokens.set(strike, [instrument_token])
  }
  return { strikes: [...tokens.keys()].sort((a, b) => a - b), tokens }
}

function priced(instrument: DirectoryInstrument | undefined): Priced | undefined {
  return (
    instrument && {
      token: instrument.instrument_token,
      key: `${instrument.exchange}:${instrument.tradingsymbol}`,
    }
  )
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
