// Warns of intraday (MIS) positions that are still open shortly before the broker squares them off, at its price and for its
// fee: once for each account and exchange on a day, as long as an instance holds the account.
import { istDay, type Positions } from '@ticker/shared/domain'
import { CALENDAR_EXCHANGES } from '@ticker/shared/market-calendar'
import { Counter, type Registry } from 'prom-client'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../operations/log.ts'
import type { OrderAccount } from '../deps.ts'

const BEFORE_MS = 15 * 60_000
/** One read of an account's positions, while a cut-off is near. */
const LOOK_EVERY_MS = 60_000

export interface MisWarning {
  account_id: string
  exchange: string
  /** RFC 3339. */
  cutoff: string
  positions: { tradingsymbol: string; quantity: number }[]
}

export function createMisWarnings(deps: {
  clock: Clock
  log: Log
  registry: Registry
  accounts(): readonly OrderAccount[]
  misCutoffMs(exchange: string): number | undefined
  positions(account: OrderAccount): Promise<Positions['net'] | undefined>
  warn(warning: MisWarning): void
}) {
  const { clock } = deps
  const warnings = new Counter({
    name: 'ticker_mis_cutoff_warnings_total',
    help: 'Warnings of intraday positions that the broker is about to square off',
    registers: [deps.registry],
  })
  let warned = new Set<string>()
  let day = ''

  async function look() {
    const nowMs = clock.nowMs()
    if (istDay(nowMs) !== day) warned = new Set()
    day = istDay(nowMs)
    const near = CALENDAR_EXCHANGES.flatMap((exchange) => {
      const cutoffMs = deps.misCutoffMs(exchange)
      return cutoffMs !== undefined && nowMs >= cutoffMs - BEFORE_MS && nowMs < cutoffMs
        ? [{ exchange, cutoffMs }]
        : []
    })
    if (near.length === 0) return
    for (const account of deps.accounts()) {
      if (!account.session || !account.observed.trading) continue
      const unsaid = near.filter(({ exchange }) => !warned.has(`${account.accountId}/${exchange}`))
      const net = unsaid.length > 0 ? await deps.positions(account) : undefined
      for (const { exchange, cutoffMs } of unsaid) {
        const positions = (net ?? [])
          .filter((row) => row.product === 'MIS' && row.exchange === exchange && row.quantity !== 0)
          .map(({ tradingsymbol, quantity }) => ({ tradingsymbol, quantity }))
        if (positions.length === 0) continue
        warned.add(`${account.accountId}/${exchange}`)
        warnings.inc()
        const warning = {
          account_id: account.accountId,
          exchange,
          cutoff: new Date(cutoffMs).toISOString(),
          positions,
        }
        deps.log.warn(warning, 'the broker is about to square off intraday positions')
        deps.warn(warning)
      }
    }
  }

  return {
    async run(signal: AbortSignal, isWell: () => void) {
      while (!signal.aborted) {
        await look()
        isWell()
        await clock.sleep(LOOK_EVERY_MS, signal)
      }
    },
  }
}
