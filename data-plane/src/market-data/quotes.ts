// The last tick of each instrument asked for, from the slab, for the owner who asks; of what there is no tick, with
// `fallback`, the broker's own quote.
import type { Quote, Quotes, QuotesRequest } from '@ticker/shared/domain'
import type { KiteQuote } from '@ticker/shared/kite-http'
import { decodePacket, isIndexToken, slicePrefix } from '@ticker/shared/kite-wire'
import type { BrokerQuote, BrokerQuotes } from '../broker-reads/broker-quotes.ts'
import type { Clock } from '../clock.ts'
import type { DirectoryInstrument } from './instrument-directory.ts'
import { resolveRefs } from './resolve-refs.ts'
import type { TickSource } from './runtime.ts'

/** A promise: the broker is asked. */
export type ReadQuotes = (request: QuotesRequest) => Quotes | Promise<Quotes>

export function createQuotes(deps: {
  clock: Clock
  source: Pick<TickSource, 'realm' | 'store' | 'serving' | 'directory'> & {
    interest: Pick<TickSource['interest'], 'ownerMode'>
  }
  broker: BrokerQuotes
}): ReadQuotes {
  const { clock, source, broker } = deps
  const { store, interest } = source

  function quoteOf(owner: string, instrument: DirectoryInstrument, withDepth: boolean): Quote {
    const { instrument_token, exchange, tradingsymbol } = instrument
    const named = { instrument_token, exchange, tradingsymbol }
    const none = { source: null, age_ms: null, tick: null }
    // The slab has the largest that any owner has it in.
    const mode = interest.ownerMode(owner, instrument_token)
    if (!mode) return { ...named, state: 'not_streamed', ...none }
    const slot = store.slotOf(instrument_token)
    if (slot < 0) return { ...named, state: 'waiting', ...none }
    const packet = slicePrefix(store.packetAt(slot), instrument_token, mode)
    const { instrument_token: _, depth, ...tick } = decodePacket(packet)
    return {
      ...named,
      state: source.serving(instrument_token) === 'live' ? 'live' : 'stale',
      source: 'ticks',
      age_ms: Math.max(0, Math.round(clock.nowMs() - store.receivedMsAt(slot))),
      tick: {
        ...tick,
        ...{ bid: best(depth?.buy), ask: best(depth?.sell) },
        ...(withDepth && depth ? { depth } : {}),
      },
    }
  }

  async function withBroker({ owner, account_ids, depth }: QuotesRequest, answer: Quotes): Promise<Quotes> {
    const without = answer.quotes.filter(({ tick }) => tick === null)
    const { quotes, refused } = await broker.read(owner, without.map(keyOf), account_ids)
    const filled = answer.quotes.map((quote) =>
      quote.tick === null
        ? fromBroker(quote, quotes.get(keyOf(quote)), clock.monotonicMs(), depth === true)
        : quote,
    )
    return {
      ...answer,
      quotes: filled,
      fallback: {
        asked: without.length,
        answered: filled.filter((quote) => quote.source === 'broker').length,
        refusal: refused?.refusal ?? null,
        detail: refused?.detail ?? null,
      },
      answered_at: new Date(clock.nowMs()).toISOString(),
    }
  }

  return (request) => {
    const { owner, instruments: refs, fallback, depth } = request
    const { instruments, unknown } = resolveRefs(source.directory(), refs)
    const answer: Quotes = {
      quotes: instruments.map((instrument) => quoteOf(owner, instrument, depth === true)),
      unknown,
      fallback: null,
      synthetic: source.realm === 'sim',
      answered_at: new Date(clock.nowMs()).toISOString(),
    }
    return fallback === undefined ? answer : withBroker(request, answer)
  }
}

const keyOf = ({ exchange, tradingsymbol }: Quote) => `${exchange}:${tradingsymbol}`

/** Of another instrument, as after a dump that the broker has and we have not, it is no quote of this one. */
function fromBroker(
  quote: Quote,
  answered: BrokerQuote | undefined,
  nowMs: number,
  withDepth: boolean,
): Quote {
  const of = answered?.quote
  if (!answered || !of || of.instrument_token !== quote.instrument_token) return quote
  return {
    ...quote,
    source: 'broker',
    age_ms: Math.round(nowMs - answered.atMs),
    tick: tickOf(of, withDepth),
  }
}

function tickOf(quote: KiteQuote, withDepth: boolean): NonNullable<Quote['tick']> {
  const { instrument_token, last_price, ohlc, depth } = quote
  const isIndex = isIndexToken(instrument_token)
  const change = last_price - ohlc.close
  return {
    mode: 'full',
    tradable: !isIndex,
    last_price,
    ohlc,
    change_absolute: ohlc.close > 0 ? change : null,
    change_percent: ohlc.close > 0 ? (change / ohlc.close) * 100 : null,
    exchange_timestamp_s: quote.timestamp,
    ...(!isIndex && {
      last_trade_time_s: quote.last_trade_time,
      last_traded_quantity: quote.last_quantity,
      average_traded_price: quote.average_price,
      volume_traded: quote.volume,
      total_buy_quantity: quote.buy_quantity,
      total_sell_quantity: quote.sell_quantity,
      oi: quote.oi,
      oi_day_high: quote.oi_day_high,
      oi_day_low: quote.oi_day_low,
    }),
    bid: best(depth?.buy),
    ask: best(depth?.sell),
    ...(withDepth && depth ? { depth } : {}),
  }
}

/** Empty levels have price 0. */
function best(levels: readonly { price: number }[] | undefined): number | null {
  const price = levels?.[0]?.price ?? 0
  return price > 0 ? price : null
}
