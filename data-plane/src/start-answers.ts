// Part of the composition root: what this instance answers to the control plane, from its ticks or with one governed request to
// the broker.
import { getQuotes, type KiteHttp } from '@ticker/shared/kite-http'
import type pg from 'pg'
import type { Registry } from 'prom-client'
import { createAccountReads } from './broker-reads/account-reads.ts'
import { createBrokerQuotes } from './broker-reads/broker-quotes.ts'
import { createReadGovernor, type ReadGovernor } from './broker-reads/governor.ts'
import { createPortfolio, type PortfolioDeps } from './broker-reads/portfolio.ts'
import type { Clock } from './clock.ts'
import { type AnswersDeps, createAnswers } from './command-channel/answers.ts'
import { createQuotes } from './market-data/quotes.ts'
import type { MarketDataRuntime } from './market-data/runtime.ts'
import { createFillStore } from './orders/fill-store.ts'
import type { OwnershipView } from './ownership/ownership.ts'

/** KITE.md 2.2. */
const QUOTE_REQUESTS_PER_SECOND_MAX = 1

export function startAnswers(
  deps: Omit<AnswersDeps, 'quotes' | 'portfolio'> & {
    clock: Clock
    registry: Registry
    kite: KiteHttp
    isSynthetic: boolean
    decide: PortfolioDeps['decide']
    pool: pg.Pool
    marketData: MarketDataRuntime
    accountGovernor: ReadGovernor
    accounts(): OwnershipView['accounts']
    onSessionDead(accountId: string, version: number, reason: string): Promise<void>
  },
) {
  const { clock, registry, kite, marketData, accounts, onSessionDead } = deps
  const broker = createBrokerQuotes({
    ...{ clock, registry, onSessionDead },
    governor: createReadGovernor({
      ...{ clock, registry, name: 'quotes' },
      perSecondMax: QUOTE_REQUESTS_PER_SECOND_MAX,
    }),
    accounts: (owner) =>
      accounts().filter(
        (each) => each.owner === owner && each.session && each.observed.active && each.observed.market_data,
      ),
    fetch: (credentials, keys) => getQuotes(kite, credentials, keys),
  })
  const quotes = createQuotes({ clock, source: marketData, broker })
  const reads = createAccountReads({
    ...{ clock, registry, onSessionDead },
    governor: deps.accountGovernor,
    account: (accountId) => accounts().find((each) => each.accountId === accountId && each.observed.active),
  })
  const portfolio = createPortfolio({
    ...{ clock, registry, kite, quotes, reads, isSynthetic: deps.isSynthetic, decide: deps.decide },
    isPaper: (accountId) => accounts().some((each) => each.accountId === accountId && each.observed.paper),
    directory: () => marketData.directory(),
    fills: createFillStore(deps.pool),
  })
  return { answer: createAnswers({ ...deps, quotes, portfolio }), quotes, portfolio, reads, broker }
}
