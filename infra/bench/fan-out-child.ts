// What the orchestrator of `fan-out` says to the two servers, and what they answer.
import { z } from 'zod'

export const serverTask = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('rate'), ticks_per_s: z.number() }),
  z.object({ ask: z.literal('counts') }),
])

export const serverCounts = z.object({
  port: z.number(),
  /** Empty: it asks for none. */
  ticket: z.string(),
  cpu_ms: z.number(),
  rss_bytes: z.number(),
  /** Ticks handed to client sockets. */
  delivered: z.number(),
  /** Ticks fed in. */
  fed: z.number(),
  clients: z.number(),
  /** Written to client sockets and not gone yet, as the housekeeping saw it last. */
  buffered_bytes: z.number(),
  /** Clients closed by the server, of all reasons. */
  closed: z.number(),
  /** Instruments in snapshots, in the busiest second so far. */
  snapshots_per_s_max: z.number(),
  /** Seq up to which a flush delivered, and when it began; since the last counts. */
  flushes: z.array(z.tuple([z.number(), z.number()])),
})
export type ServerCounts = z.infer<typeof serverCounts>

export const clientTask = z.discriminatedUnion('ask', [
  z.object({
    ask: z.literal('connect'),
    url: z.string(),
    clients: z.number(),
    /** How many of the tokens each subscribes, drawn at random. */
    instruments: z.number(),
    tokens: z.array(z.number()),
    protocols: z.array(z.string()),
    subscribe: z.looseObject({}),
    /** The seq to resume after, and of which stream. */
    resume: z.object({ stream_id: z.string(), seq: z.number() }).optional(),
  }),
  /** One more that subscribes and then reads nothing. */
  z.object({
    ask: z.literal('stall'),
    url: z.string(),
    instruments: z.number(),
    tokens: z.array(z.number()),
    protocols: z.array(z.string()),
  }),
  z.object({ ask: z.literal('unstall') }),
  z.object({ ask: z.literal('measure'), ms: z.number() }),
  z.object({ ask: z.literal('disconnect') }),
])
export type ClientTask = z.infer<typeof clientTask>

export const measured = z.object({
  messages: z.number(),
  /** Of binary messages. */
  ticks: z.number(),
  bytes: z.number(),
  /** Since the oldest tick of a message was handed in, of every message. */
  tick_ages_ms: z.array(z.number()),
  /** Since the data plane received the newest tick of a message, of every binary message. */
  received_ages_ms: z.array(z.number()),
  /** Seq of a message and when it arrived. */
  arrivals: z.array(z.tuple([z.number(), z.number()])),
  /** Until everybody had a first message of ticks or its last snapshot. */
  connected_ms: z.number(),
})
export type ClientMeasured = z.infer<typeof measured>
