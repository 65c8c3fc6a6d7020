// Part of the composition root: the risk gate, with our prices, the broker's positions, and what is stored.
import { holdings, type PlaceOrder, type RiskDecision } from '@ticker/shared/domain'
import type pg from 'pg'
import type { Registry } from 'prom-client'
import { strategyDayPnl, worseDayPnl } from './broker-reads/account-pnl.ts'
import type { Clock } from './clock.ts'
import { createExitMarket, type ExitMarket } from './exits/exit-market.ts'
import type { MarketDataRuntime } from './market-data/runtime.ts'
import type { Log } from './operations/log.ts'
import type { Supervisor } from './operations/supervisor.ts'
import type { OrderAccount } from './orders/deps.ts'
import { createRiskGate, type RiskGate } from './orders/risk/gate.ts'
import { createMisWarnings, type MisWarning } from './orders/risk/mis-warning.ts'
import { createRiskStore } from './orders/risk/risk-store.ts'
import type { startAnswers } from './start-answers.ts'

export interface Risk {
  gate: RiskGate
  /** What exits look at: the same positions and prices. */
  exitMarket: ExitMarket
  start(supervisor: Pick<Supervisor, 'run'>): void
  /** Of an order that nobody has stored; undefined: the account is not here. */
  decideOn(
    account: { owner: string; account_id: string },
    order: PlaceOrder,
  ): Promise<RiskDecision | undefined>
}

export function createRisk(deps: {
  clock: Clock
  log: Log
  registry: Registry
  pool: pg.Pool
  marketData: MarketDataRuntime
  answers: Pick<ReturnType<typeof startAnswers>, 'quotes' | 'portfolio' | 'broker'>
  accounts(): readonly OrderAccount[]
  warn(warning: MisWarning): void
  misCutoffMs(exchange: string): number | undefined
}): Risk {
  const { answers, marketData, clock, registry } = deps
  async function positions({ owner, accountId }: OrderAccount) {
    const read = await answers.portfolio({
      ...{ owner, account_id: accountId },
      reading: { read: 'positions' },
    })
    return 'answer' in read && 'net' in read.answer ? read.answer.net : undefined
  }
  const known = {
    ...{ clock, store: createRiskStore(deps.pool), quotes: answers.quotes },
    directory: () => marketData.directory(),
  }
  const gate = createRiskGate({
    ...{ ...known, registry },
    misCutoffMs: deps.misCutoffMs,
    async holdings({ owner, accountId }) {
      const read = await answers.portfolio({
        ...{ owner, account_id: accountId },
        reading: { read: 'holdings' },
      })
      // A row of unknown shape that was left out may be the one that is asked for.
      const answer = 'answer' in read ? holdings.safeParse(read.answer).data : undefined
      return answer?.omitted === 0 ? answer.holdings : undefined
    },
    async held({ owner, accountId }) {
      const read = await answers.portfolio({ ...{ owner, account_id: accountId }, reading: { read: 'pnl' } })
      if (!('answer' in read) || !('strategies' in read.answer)) return undefined
      const { answer } = read
      const held = answer.positions.flatMap(({ broker, ...position }) =>
        broker ? [{ ...position, quantity: broker.quantity }] : [],
      )
      return {
        positions: held,
        dayPnl: worseDayPnl(answer),
        strategyDayPnl: (strategy) => strategyDayPnl(answer, strategy),
      }
    },
  })
  const misWarnings = createMisWarnings({
    ...{ clock, registry, log: deps.log, positions },
    ...{ accounts: deps.accounts, misCutoffMs: deps.misCutoffMs, warn: deps.warn },
  })
  return {
    gate,
    exitMarket: createExitMarket({ ...known, positions, broker: answers.broker, risk: gate }),
    start: (supervisor) => void supervisor.run('MIS warnings', misWarnings.run),
    async decideOn({ owner, account_id }, order) {
      const account = deps.accounts().find(({ accountId }) => accountId === account_id)
      if (account?.owner !== owner) return undefined
      return gate.decide(account, order, await gate.facts(account_id, []))
    },
  }
}
