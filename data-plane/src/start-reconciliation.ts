// Part of the composition root: the reports that compare the broker's record of each account with ours.
import type { KiteHttp } from '@ticker/shared/kite-http'
import type { MarketCalendar } from '@ticker/shared/market-calendar'
import type pg from 'pg'
import type { Registry } from 'prom-client'
import type { MarketHours } from './market-data/market-hours.ts'
import type { OrderDesk } from './orders/order-desk.ts'
import { createClosing } from './reconciliation/closing.ts'
import { createReconciliations, type ReconciliationsDeps } from './reconciliation/index.ts'
import { createReports, type ReportDeps } from './reconciliation/make-report.ts'
import { createReconciliationMetrics } from './reconciliation/metrics.ts'
import { createOurRecords } from './reconciliation/our-record.ts'
import { createReportStore } from './reconciliation/report-store.ts'

export function startReconciliation(
  deps: Omit<ReconciliationsDeps, 'metrics' | 'store' | 'closing' | 'make'> &
    Pick<ReportDeps, 'reads'> & {
      pool: pg.Pool
      registry: Registry
      kite: KiteHttp
      desk: Pick<OrderDesk, 'mergeBook'>
      hours: MarketHours
      calendar: MarketCalendar
    },
) {
  const { clock, pool, reads, kite, desk } = deps
  return createReconciliations({
    ...deps,
    metrics: createReconciliationMetrics(deps.registry),
    store: createReportStore(pool),
    closing: createClosing(deps.hours, deps.calendar, clock),
    make: createReports({ clock, reads, kite, ours: createOurRecords(pool), mergeBook: desk.mergeBook }),
  })
}
