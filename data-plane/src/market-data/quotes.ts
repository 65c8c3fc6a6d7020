// The last tick of each instrument asked for, from the slab, for the owner who asks. Nothing is asked of the broker.
import type { Quote, Quotes, QuotesRequest } from '@ticker/shared/domain'
import { type DepthLevel, decodePacket, slicePrefix } from '@ticker/shared/kite-wire'
import type { Clock } from '../clock.ts'
import type { DirectoryInstrument } from './instrument-directory.ts'
import { resolveRefs } from './resolve-refs.ts'
import type { TickSource } from './runtime.ts'

export type ReadQuotes = (request: QuotesRequest) => Quotes

export function createQuotes(deps: {
  clock: Clock
  source: Pick<TickSource, 'realm' | 'store' | 'serving' | 'directory'> & {
    interest: Pick<TickSource['interest'], 'ownerMode'>
  }
}): ReadQuotes {
  const { clock, source } = deps
  const { store, interest } = source

  function quoteOf(owner: string, instrument: DirectoryInstrument): Quote {
    const { instrument_token, exchange, tradingsymbol } = instrument
    const named = { instrument_token, exchange, tradingsymbol }
    const none = { age_ms: null, tick: null }
    // The slab has the largest that any owner has it in.
    const mode = interest.ownerMode(owner, instrument_token)
    if (!mode) return { ...named, state: 'not_streamed', ...none }
    const slot = store.slotOf(instrument_token)
    if (slot < 0) return { ...named, state: 'waiting', ...none }
    const {
      instrument_token: _,
      depth,
      ...tick
    } = decodePacket(slicePrefix(store.packetAt(slot), instrument_token, mode))
    return {
      ...named,
      state: source.serving(instrument_token) === 'live' ? 'live' : 'stale',
      age_ms: Math.max(0, Math.round(clock.nowMs() - store.receivedMsAt(slot))),
      tick: { ...tick, bid: best(depth?.buy), ask: best(depth?.sell) },
    }
  }

  return ({ owner, instruments: refs }) => {
    const { instruments, unknown } = resolveRefs(source.directory(), refs)
    return {
      quotes: instruments.map((instrument) => quoteOf(owner, instrument)),
      unknown,
      synthetic: source.realm === 'sim',
      answered_at: new Date(clock.nowMs()).toISOString(),
    }
  }
}

/** Empty levels have price 0. */
function best(levels: readonly DepthLevel[] | undefined): number | null {
  const price = levels?.[0]?.price ?? 0
  return price > 0 ? price : null
}
