// Reads this instance's command stream. A nudge wakes the level-triggered loops; a question is answered before its
// deadline or dropped. Losing any of it costs 2 s of latency and nothing else (ARCHITECTURE rule 1).
import {
  ANSWER_TTL_S,
  type Answer,
  answerKey,
  COMMAND_FIELD,
  commandStreamKey,
  parseCommand,
  type Question,
  type Realm,
} from '@ticker/shared/commands'
import { Counter, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import type { RedisConnection } from '../operations/redis-connection.ts'

const BLOCK_MS = 10_000
const STREAM_TTL_S = 3_600
const TTL_RENEW_MS = 600_000
const BATCH_MAX = 500
/** More than Redis needs for an answer: past it the connection stalls and is made anew. */
const ANSWER_WITHIN_MS = 3_000
/** As long as an answer took, so often it rests after it. */
const REST_TIMES = 4

export class RedisStalled extends Error {}

type RedisClient = ReturnType<RedisConnection['client']>

export interface CommandReaderDeps {
  realm: Realm
  instanceId: string
  /** A connection of its own, because XREAD blocks it. */
  reading(): Pick<RedisClient, 'xRead'>
  writing(): Pick<RedisClient, 'set' | 'expire'>
  clock: Clock
  log: Log
  registry: Registry
  onNudge(): void
  answer(question: Question): Answer
}

export function createCommandReader(deps: CommandReaderDeps): { run(signal: AbortSignal): Promise<void> } {
  const { clock, log, realm, instanceId } = deps
  const stream = commandStreamKey(realm, instanceId)
  const received = new Counter({
    name: 'ticker_commands_total',
    help: 'Messages of the command channel by kind and effect',
    labelNames: ['kind', 'effect'],
    registers: [deps.registry],
  })
  let lastId = '0-0'

  /** A stalled network gives neither an answer nor an error. */
  async function within<T>(limitMs: number, answer: Promise<T>): Promise<T> {
    const late = new AbortController()
    const timeout = clock.sleep(limitMs, late.signal).then(() => {
      if (!late.signal.aborted) throw new RedisStalled(`no answer within ${limitMs} ms`)
      return answer
    })
    try {
      return await Promise.race([answer, timeout])
    } finally {
      late.abort()
    }
  }

  async function handle(text: string | undefined, signal: AbortSignal) {
    const command = parseCommand(text)
    if (!command) {
      received.inc({ kind: 'malformed', effect: 'skipped' })
      return log.warn({ stream }, 'malformed command skipped')
    }
    if (command.kind === 'nudge') {
      received.inc({ kind: 'nudge', effect: 'woke' })
      return deps.onNudge()
    }
    if (command.deadline_ms <= clock.nowMs()) return received.inc({ kind: 'question', effect: 'late' })
    const startedMs = clock.monotonicMs()
    const answer = JSON.stringify(deps.answer(command))
    const tookMs = clock.monotonicMs() - startedMs
    const expiration = { type: 'EX', value: ANSWER_TTL_S } as const
    await within(ANSWER_WITHIN_MS, deps.writing().set(answerKey(realm, command.id), answer, { expiration }))
    received.inc({ kind: 'question', effect: 'answered' })
    // A fifth of the time at most: ticks and orders do not wait for a flood of questions.
    await clock.sleep(REST_TIMES * tookMs, signal)
  }

  return {
    async run(signal) {
      let ttlRenewedMs = Number.NEGATIVE_INFINITY
      while (!signal.aborted) {
        if (clock.monotonicMs() - ttlRenewedMs > TTL_RENEW_MS) {
          // A stream of an instance that is gone must not stay for ever.
          await within(ANSWER_WITHIN_MS, deps.writing().expire(stream, STREAM_TTL_S))
          ttlRenewedMs = clock.monotonicMs()
        }
        const reply = await within(
          BLOCK_MS + ANSWER_WITHIN_MS,
          deps.reading().xRead({ key: stream, id: lastId }, { COUNT: BATCH_MAX, BLOCK: BLOCK_MS }),
        )
        for (const { id, message } of reply?.[0]?.messages ?? []) {
          lastId = id
          await handle(message[COMMAND_FIELD], signal)
        }
      }
    },
  }
}
