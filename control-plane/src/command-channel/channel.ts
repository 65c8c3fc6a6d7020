// The doorbell to the data plane, behind a breaker. A nudge never fails its caller: what it would have hastened
// happens within 2 s anyway. A question has an answer, or `unreachable`, before its deadline.
import {
  ANSWER_TTL_S,
  type Asking,
  answer,
  answerKey,
  COMMAND_FIELD,
  COMMAND_STREAM_LENGTH_MAX,
  type Command,
  commandStreamKey,
  type Nudge,
  type Realm,
} from '@ticker/shared/commands'
import { randomToken } from '@ticker/shared/crypto'
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'
import type { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'

/** The four Redis calls the channel needs; each rejects within its timeout. */
export interface CommandRedis {
  /** Appends one entry to each stream. */
  append(streams: string[], field: string, value: string, lengthMax: number): Promise<void>
  take(key: string): Promise<string | null>
}

export type Breaker = 'closed' | 'open' | 'half_open'
export type Asked<T> = { kind: 'answered'; result: T } | { kind: 'unreachable'; retryAfterS: number }

export interface CommandChannel {
  /** Resolves whatever happens. */
  nudge(subject: Nudge['subject'], instanceIds: string[]): Promise<void>
  /** `shape`: of the answer; a data plane of another release may give one that cannot be understood here. */
  ask<T>(instanceId: string, asking: Asking, shape: z.ZodType<T>, waitMs?: number): Promise<Asked<T>>
  breaker(): Breaker
  /** The breaker's state, after one try at Redis when its time has come: nobody else may be trying. */
  probe(): Promise<Breaker>
}

const FAILURES_TO_OPEN = 5
const HALF_OPEN_AFTER_MS = 2_000
const ASK_WAIT_MS_MAX = 10_000
const POLL_MS_FIRST = 20
const POLL_MS_MAX = 500
/** An unanswered question is worth asking again after this long. */
const RETRY_AFTER_S = 5

export function commandChannel(options: {
  redis: CommandRedis
  realm: Realm
  clock: Clock
  log: Log
}): CommandChannel {
  const { redis, realm, clock, log } = options
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: HALF_OPEN_AFTER_MS,
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
  })
  breaker.onBreak(() => log('warn', 'command_channel_open', { retry_after_ms: HALF_OPEN_AFTER_MS }))
  breaker.onReset(() => log('info', 'command_channel_closed'))

  function state(): Breaker {
    switch (breaker.state) {
      case CircuitState.Closed:
        return 'closed'
      case CircuitState.HalfOpen:
        return 'half_open'
      default:
        return 'open'
    }
  }

  const send = (instanceIds: string[], command: Command) =>
    breaker.execute(() =>
      redis.append(
        instanceIds.map((id) => commandStreamKey(realm, id)),
        COMMAND_FIELD,
        JSON.stringify(command),
        COMMAND_STREAM_LENGTH_MAX,
      ),
    )

  return {
    async nudge(subject, instanceIds) {
      if (instanceIds.length === 0) return
      try {
        await send(instanceIds, { kind: 'nudge', subject })
      } catch (error) {
        if (!(error instanceof BrokenCircuitError)) log('warn', 'nudge_failed', { subject, error })
      }
    },
    async ask(instanceId, asking, shape, waitMs = ASK_WAIT_MS_MAX) {
      const { call } = asking
      const deadlineMs = clock.nowMs() + Math.min(waitMs, ASK_WAIT_MS_MAX)
      const id = randomToken()
      try {
        await send([instanceId], { kind: 'question', id, deadline_ms: deadlineMs, ...asking })
        for (let pauseMs = POLL_MS_FIRST; clock.nowMs() + pauseMs <= deadlineMs; ) {
          await clock.sleep(pauseMs)
          const text = await breaker.execute(() => redis.take(answerKey(realm, id)))
          const parsed = text === null ? undefined : answer.safeParse(JSON.parse(text))
          const result = parsed?.success && parsed.data.ok ? shape.safeParse(parsed.data.result) : undefined
          if (result?.success) return { kind: 'answered', result: result.data }
          if (parsed) {
            log('warn', 'answer_not_understood', { call, instance_id: instanceId, error: result?.error })
            return { kind: 'unreachable', retryAfterS: RETRY_AFTER_S }
          }
          pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)
        }
      } catch (error) {
        if (!(error instanceof BrokenCircuitError)) log('warn', 'question_failed', { call, error })
        return { kind: 'unreachable', retryAfterS: HALF_OPEN_AFTER_MS / 1000 }
      }
      log('warn', 'question_unanswered', { call, instance_id: instanceId, ttl_s: ANSWER_TTL_S })
      return { kind: 'unreachable', retryAfterS: RETRY_AFTER_S }
    },
    breaker: state,
    async probe() {
      if (state() !== 'closed') {
        await breaker.execute(() => redis.take(`${realm}:probe`)).catch(() => {})
      }
      return state()
    },
  }
}
