// The command channel: a Redis stream per data-plane instance. A nudge says "look again"; a question asks for an
// answer before its deadline. Neither carries anything that must not be lost (ARCHITECTURE: Command channel).
import { z } from 'zod'
import { accountRead } from '../domain/account-reads.ts'
import { accountId } from '../domain/accounts.ts'
import { chainRefused, optionChain, optionChainRequest } from '../domain/option-chains.ts'
import { quotesRequest } from '../domain/quotes.ts'

export type Realm = 'live' | 'sim'

/** Stream entry field that holds the JSON of one command. */
export const COMMAND_FIELD = 'command'
export const COMMAND_STREAM_LENGTH_MAX = 10_000
export const ANSWER_TTL_S = 60

export const commandStreamKey = (realm: Realm, instanceId: string) => `${realm}:commands:${instanceId}`
export const answerKey = (realm: Realm, questionId: string) => `${realm}:answers:${questionId}`

export const nudge = z.strictObject({
  kind: z.literal('nudge'),
  subject: z.union([z.strictObject({ account_id: accountId }), z.literal('fleet')]),
})
export type Nudge = z.infer<typeof nudge>

const asked = {
  kind: z.literal('question'),
  id: z.string().min(1).max(64),
  /** Epoch ms; answered later it is of no use to anyone and is dropped. */
  deadline_ms: z.int(),
  traceparent: z.string().max(200).optional(),
}

/** Questions by call; each has its own params and its own answer. */
export const question = z.discriminatedUnion('call', [
  /** What this instance sees of itself: `instanceStatus`. */
  z.strictObject({ ...asked, call: z.literal('instance_status'), params: z.strictObject({}) }),
  /** That owner's clients that are connected here: `connectedClients`. */
  z.strictObject({
    ...asked,
    call: z.literal('stream_clients'),
    params: z.strictObject({ owner: z.string() }),
  }),
  /** A chain as this instance streams it for that owner: `optionChainAnswer`. */
  z.strictObject({
    ...asked,
    call: z.literal('option_chain'),
    params: z.strictObject({ owner: z.string(), request: optionChainRequest }),
  }),
  /** Last ticks as this instance streams them for that owner: `quotes`. */
  z.strictObject({ ...asked, call: z.literal('quotes'), params: quotesRequest }),
  /** Something of an account that only the broker knows: `accountReadAnswer`. */
  z.strictObject({ ...asked, call: z.literal('account_read'), params: accountRead }),
])
export type Question = z.infer<typeof question>
/** A question as whoever asks says it. */
export type Asking<Each extends Question = Question> = Each extends Question
  ? Pick<Each, 'call' | 'params'>
  : never

export const optionChainAnswer = z.union([z.object({ chain: optionChain }), chainRefused])
export type OptionChainAnswer = z.infer<typeof optionChainAnswer>

export const command = z.discriminatedUnion('kind', [nudge, question])
export type Command = z.infer<typeof command>

export const instanceStatus = z.object({
  instance_id: z.string(),
  epoch: z.int(),
  uptime_s: z.number(),
  accounts: z.array(
    z.object({
      account_id: z.string(),
      session: z.enum(['none', 'active', 'parked']),
      connections: z.array(
        z.object({ state: z.string(), instruments: z.int(), last_tick_age_ms: z.number().nullable() }),
      ),
    }),
  ),
  ticks: z.object({ received: z.number(), instruments: z.int() }),
  /** Instruments that connected clients want, and why some do not stream; an older data plane does not say. */
  interest: z.object({ instruments: z.int(), unserved: z.record(z.string(), z.int()) }).optional(),
  stream_clients: z.int(),
  kite_clients: z.int(),
  /** Of the broker's order limits (KITE.md 2.2); an older data plane does not say. */
  order_budgets: z
    .array(
      z.object({
        account_id: z.string(),
        orders_last_second: z.int(),
        orders_last_minute: z.int(),
        orders_today: z.int(),
        entries_left_today: z.int(),
        orders_left_today: z.int(),
      }),
    )
    .optional(),
  /** How Redis keeps up with the ticks; null: none are published. An older data plane does not say. */
  publishing: z
    .object({
      level: z.enum(['healthy', 'warning', 'critical', 'overload']),
      breaker_open: z.boolean(),
      pending_instruments: z.int(),
    })
    .nullable()
    .optional(),
})
export type InstanceStatus = z.infer<typeof instanceStatus>

export const answer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string() }),
])
export type Answer = z.infer<typeof answer>

/** Parses one stream entry; a value that is no command is told apart, never thrown. */
export function parseCommand(text: string | undefined): Command | undefined {
  if (text === undefined) return undefined
  try {
    const parsed = command.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
