// Option chains of this process: what is asked for found in the registry, computed from the slab, for the owner who asks.
// Nothing is asked of the broker and nothing subscribed: a strike ladder or a client does that.
import {
  CHAIN_STRIKES_DEFAULT,
  type ChainRefusal,
  type OptionChain,
  type OptionChainRequest,
} from '@ticker/shared/domain'
import type { MarketCalendar } from '@ticker/shared/market-calendar'
import { DAYS_A_YEAR, type PricingTerms } from '@ticker/shared/option-pricing'
import { Histogram, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import { readPrice } from '../market-data/ladders/spot.ts'
import type { TickSource } from '../market-data/runtime.ts'
import { createChainListings } from './chain-listing.ts'
import { computeChain } from './compute-chain.ts'

const YEAR_MS = DAYS_A_YEAR * 86_400_000

export type ChainOutcome =
  | { ok: true; chain: OptionChain }
  | { ok: false; refusal: ChainRefusal; detail: string }

export interface OptionChains {
  read(owner: string, request: OptionChainRequest): ChainOutcome
  /** The same request with what it leaves out spelled out, as far as that does not change by itself. */
  spelledOut<Request extends OptionChainRequest>(request: Request): Request
}

export interface OptionChainDeps {
  clock: Clock
  registry: Registry
  source: Pick<TickSource, 'realm' | 'store' | 'serving' | 'directory'> & {
    interest: Pick<TickSource['interest'], 'ownerMode'>
  }
  calendar: Pick<MarketCalendar, 'expiryOn'>
  isOpen(segment: number): boolean
  /** The exchange collects orders for its opening: what its contracts cost last was yesterday. */
  isPreOpen(exchange: string): boolean
  isOver(exchange: string, expiry: string): boolean
  /** Rate and dividend yield where a request names none. */
  termsOf(underlying: string): PricingTerms
}

export function createOptionChains(deps: OptionChainDeps): OptionChains {
  const { clock, source, calendar } = deps
  const { store, interest, directory } = source
  const listings = createChainListings(directory, deps.isOver)
  const computeMs = new Histogram({
    name: 'ticker_option_chain_compute_ms',
    help: 'Computing one option chain from the ticks in memory',
    buckets: [0.25, 0.5, 1, 2.5, 5, 10, 25, 100],
    registers: [deps.registry],
  })

  function compute(owner: string, request: OptionChainRequest): ChainOutcome {
    const { underlying, expiry } = request
    const exchanges = directory().optionExchanges(underlying)
    if (request.exchange === undefined && exchanges.length > 1) {
      const detail = `Options of ${underlying} trade on ${exchanges.join(', ')}: say which.`
      return { ok: false, refusal: 'exchange_ambiguous', detail }
    }
    const listing = listings.find(request.exchange ?? exchanges[0] ?? '', underlying)
    if (!listing) return unknown(`No live option of "${underlying}" is listed.`)
    const nowMs = clock.nowMs()
    const yearsTo = (exchange: string, date: string) => {
      const expires = calendar.expiryOn(exchange, date)
      return expires && (expires.atMs - nowMs) / YEAR_MS
    }
    // The nearest that still lives: currency options end at noon, and are listed until midnight.
    const nearest =
      listing.expiries.find((each) => (yearsTo(listing.exchange, each.expiry) ?? 0) > 0) ??
      listing.expiries[0]
    const listed = expiry === undefined ? nearest : listing.expiries.find((each) => each.expiry === expiry)
    if (!listed) {
      const known = listing.expiries.map((each) => each.expiry).join(', ')
      return unknown(`"${underlying}" has no options of ${expiry}; there are ${known}.`)
    }
    const mode = (token: number) => interest.ownerMode(owner, token)
    const serving = (token: number) => (mode(token) ? (source.serving(token) ?? 'stale') : undefined)
    const at = {
      store,
      nowMs,
      serving,
      mode,
      isOpen: deps.isOpen,
      isPreOpen: deps.isPreOpen,
      expiryOn: calendar.expiryOn,
      synthetic: source.realm === 'sim',
      read: (instrument: { token: number; key: string }) =>
        serving(instrument.token) && readPrice({ store, clock, serving }, instrument),
      yearsTo,
    }
    const usual = deps.termsOf(underlying)
    const terms = {
      rate: request.rate ?? usual.rate,
      dividendYield: request.dividend_yield ?? usual.dividendYield,
    }
    const chain = computeChain(at, listing, listed, request, terms)
    if (chain) return { ok: true, chain }
    const detail = `None of the ${listed.legs} options of ${underlying} ${listed.expiry} is streamed for you here: put a strike ladder.`
    return { ok: false, refusal: 'chain_not_streamed', detail }
  }

  return {
    spelledOut(request) {
      const { underlying } = request
      const usual = deps.termsOf(underlying)
      const [only, ...others] = directory().optionExchanges(underlying)
      return {
        ...request,
        ...(request.exchange === undefined &&
          only !== undefined &&
          others.length === 0 && { exchange: only }),
        strikes: request.strikes ?? CHAIN_STRIKES_DEFAULT,
        rate: request.rate ?? usual.rate,
        dividend_yield: request.dividend_yield ?? usual.dividendYield,
      }
    },
    read(owner, request) {
      const startedMs = clock.monotonicMs()
      const outcome = compute(owner, request)
      computeMs.observe(clock.monotonicMs() - startedMs)
      return outcome
    },
  }
}

const unknown = (detail: string): ChainOutcome => ({ ok: false, refusal: 'chain_unknown', detail })
