import { z } from 'zod'
import { storedText } from './text.ts'

export const accountId = z
  .string()
  .regex(/^[a-z0-9_-]{1,50}$/, 'an account id is 1-50 of a-z, 0-9, _ and -')
  .meta({ description: 'Slug chosen by you', example: 'desk1' })

const marketData = z.boolean().meta({
  description:
    "Whether the account's app has market data. false: it opens no socket, and its orders are followed by reading the book",
})
const trading = z.boolean().meta({
  description:
    'Whether orders may be placed with the account. false: they are refused with `trading_not_enabled`',
})

const paper = z.boolean().meta({
  description: 'A paper account: it logs in and trades at the paper broker (PAPER_API_ROOT), without money',
})

export const egressGroup = z
  .string()
  .regex(/^[a-z0-9_-]{1,50}$/, 'an egress group is 1-50 of a-z, 0-9, _ and -')
  .meta({
    description:
      'Only data planes with this EGRESS_GROUP serve the account: those that leave through the address which the broker knows for its app',
    example: 'default',
  })

/** An app of the Personal plan, or a subscription that has run out: REST works, the socket does not (KITE.md 1.2). */
export const SOCKET_REFUSED_REASON =
  'The broker refuses the market-data socket of this app (403) although its session works. An app of the Personal plan ' +
  'has no market data: make it a Connect app in the developer console, or set market_data to false to trade with it ' +
  'alone. It is tried again every minute.'

export const tradingState = z.enum(['ACTIVE', 'REDUCING', 'HALTED'])

export const accountCreate = z
  .strictObject({
    id: accountId,
    name: storedText(100, 1).optional(),
    broker_user_id: storedText(20, 1).optional().meta({
      description: 'The broker client id that may log in; learned at the first login when absent',
      example: 'AB1234',
    }),
    api_key: storedText(64, 1).meta({ description: "The Kite Connect app's api_key" }),
    api_secret: storedText(128, 1).meta({
      description: "The app's api_secret; stored encrypted, never shown",
    }),
    paper: paper.optional(),
    market_data: marketData
      .optional()
      .meta({ description: 'Default true; of a paper account false, always' }),
    trading: trading.optional(),
    egress_group: egressGroup.optional(),
    max_connections: z.int().min(1).max(3).optional(),
    max_instruments_per_connection: z.int().min(1).max(3000).optional(),
  })
  .refine(({ paper, market_data }) => !(paper && market_data), {
    path: ['market_data'],
    message: 'a paper account has no market data of its own: it trades at the prices of your other accounts',
  })
  .meta({ id: 'AccountCreate' })

export const accountUpdate = z
  .strictObject({
    name: storedText(100, 1).optional(),
    status: z
      .enum(['active', 'disabled'])
      .optional()
      .meta({ description: 'A disabled account neither streams nor trades; its rows stay' }),
    api_key: storedText(64, 1).optional().meta({
      description: "Another app's api_key; only while logged out, and with that app's api_secret",
    }),
    broker_user_id: storedText(20, 1).nullable().optional().meta({
      description:
        'The broker client id that may log in; null: learned at the next login. Only while logged out',
    }),
    api_secret: storedText(128, 1).optional().meta({
      description: "The app's api_secret, when it was mistyped or regenerated; needed at the next login",
    }),
    market_data: marketData.optional(),
    trading: trading.optional(),
    egress_group: egressGroup.optional(),
    max_connections: z.int().min(1).max(3).optional(),
    max_instruments_per_connection: z.int().min(1).max(3000).optional(),
    order_gate_reason: z.null().optional().meta({
      description: "null reopens orders after the broker's refusal closed them and you mended the cause",
    }),
  })
  .refine((update) => Object.keys(update).length > 0, 'name at least one field')
  .meta({ id: 'AccountUpdate' })

export const sessionStatus = z.enum(['none', 'active', 'expired', 'dead', 'logged_out'])

export const session = z
  .object({
    account_id: accountId,
    status: sessionStatus,
    version: z.int(),
    broker_user_id: z.string().nullable(),
    user_name: z.string().nullable(),
    login_at: z.string().nullable(),
    expires_at: z.string().nullable(),
    reason: z
      .string()
      .nullable()
      .meta({ description: 'Why the session is dead, in the words of the broker' }),
    market_data_reason: z
      .string()
      .nullable()
      .meta({ description: 'Why a session that works has no market data: the broker refuses its socket' }),
  })
  .meta({ id: 'Session' })

export const account = z
  .object({
    id: accountId,
    name: z.string(),
    owner: z.string(),
    broker_user_id: z.string().nullable(),
    api_key: z.string(),
    status: z.enum(['active', 'disabled']),
    trading_state: tradingState,
    order_gate_reason: z.string().nullable(),
    market_data: marketData,
    trading,
    paper,
    egress_group: egressGroup,
    max_connections: z.int(),
    max_instruments_per_connection: z.int(),
    session: session.omit({ account_id: true }),
    owner_instance_id: z
      .string()
      .nullable()
      .meta({ description: 'The data-plane instance that serves the account now' }),
    synthetic: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Account' })

export type Account = z.infer<typeof account>
export type AccountCreate = z.infer<typeof accountCreate>
export type AccountUpdate = z.infer<typeof accountUpdate>
export type Session = z.infer<typeof session>
export type TradingState = z.infer<typeof tradingState>

export const loginLink = z
  .object({
    login_url: z.string().meta({ description: 'Open this in your own browser; single use' }),
    expires_at: z.string(),
  })
  .meta({ id: 'LoginLink' })
