// A report that compares the broker's orders, trades and positions of an account with our own record.
import { z } from 'zod'
import { accountId } from './accounts.ts'

export const RECONCILIATION_REASONS = ['start', 'reconnect', 'close', 'asked'] as const
export type ReconciliationReason = (typeof RECONCILIATION_REASONS)[number]
/** Reports are kept so long; of each account the last thousand at most. */
export const RECONCILIATIONS_KEPT_DAYS = 90
export const RECONCILIATIONS_KEPT_MAX = 1_000
/** Of one list in a report; its count is of all. */
export const RECONCILIATION_ITEMS_MAX = 200

const said = z.union([z.string(), z.number()]).nullable()

export const reconciliationDifference = z
  .object({
    kind: z
      .enum([
        'missing_here',
        'missing_at_broker',
        'order_differs',
        'fills_differ',
        'position_differs',
        'in_doubt',
      ])
      .meta({
        description:
          'fills_differ: what an order filled, by our record and by the broker’s trades. position_differs: carried over and filled today, against the position. in_doubt: an order of which nobody knows yet',
      }),
    order_id: z.string().nullable().meta({ description: "The broker's" }),
    intent_id: z.string().nullable().meta({ description: 'Our order; null: placed elsewhere, or not known' }),
    exchange: z.string().nullable(),
    tradingsymbol: z.string().nullable(),
    product: z.string().nullable(),
    field: z.string().nullable().meta({ description: 'What differs: status, filled_quantity, quantity …' }),
    ours: said,
    broker: said,
  })
  .meta({ id: 'ReconciliationDifference' })
export type ReconciliationDifference = z.infer<typeof reconciliationDifference>

const externalOrder = z.object({
  order_id: z.string(),
  exchange: z.string(),
  tradingsymbol: z.string(),
  transaction_type: z.string(),
  quantity: z.int(),
  filled_quantity: z.int(),
  status: z.string(),
})
export type ExternalOrder = z.infer<typeof externalOrder>

const foundOrder = z.object({ intent_id: z.string(), order_id: z.string().nullable(), was: z.string() })
export type FoundOrder = z.infer<typeof foundOrder>

const list = <T extends z.ZodType>(item: T, description: string) =>
  z.object({ items: z.array(item), count: z.int() }).meta({ description })
export interface Listed<T> {
  items: T[]
  count: number
}

const FOUND = 'since the report before, or today'

export const reconciliationReport = z
  .object({
    compared: z.object({ orders: z.int(), trades: z.int(), positions: z.int() }),
    drift: list(reconciliationDifference, 'Differed at both looks: a person must look'),
    mended: list(
      reconciliationDifference,
      'Differed at the first look alone: taken over from the book, or still on its way then',
    ),
    converted: list(reconciliationDifference, 'Positions moved from one product to another; no drift'),
    external: list(externalOrder, `Orders placed elsewhere that were first seen ${FOUND}`),
    found: list(foundOrder, `Our orders in doubt, or given up, that were found at the broker ${FOUND}`),
  })
  .meta({ id: 'ReconciliationReport' })
export type ReconciliationReport = z.infer<typeof reconciliationReport>

export const reconciliation = z
  .object({
    id: z.string().meta({ example: 'rcn_01931c9fd2e27b3cb1f2' }),
    account_id: accountId,
    reason: z.enum(RECONCILIATION_REASONS).meta({
      description: 'start: an instance took the account over. reconnect: updates or the database were lost',
    }),
    trading_day: z.string(),
    state: z.enum(['PENDING', 'DONE', 'FAILED']).meta({
      description: 'FAILED: it could not be made; nothing is said of drift',
    }),
    outcome: z.enum(['agrees', 'drift']).nullable(),
    report: reconciliationReport.nullable(),
    attempts: z.int(),
    failure: z.string().nullable().meta({ description: 'Why it could not be made, so far' }),
    requested_at: z.string(),
    finished_at: z.string().nullable(),
    paper: z.boolean().meta({ description: 'Of a paper account' }),
    synthetic: z.boolean(),
  })
  .meta({ id: 'Reconciliation' })
export type Reconciliation = z.infer<typeof reconciliation>

export const reconciliationCreate = z.strictObject({ account_id: accountId }).meta({
  id: 'ReconciliationCreate',
})
