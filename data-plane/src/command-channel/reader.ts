// Reads this instance's command stream. A nudge wakes the level-triggered loops at once; a question waits its turn among
// the owners, and is answered before its deadline or dropped. Losing any of it costs 2 s of latency and nothing else
// (ARCHITECTURE rule 1).
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
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import type { RedisConnection } from '../operations/redis-connection.ts'
import { createFairQuestions } from './fair-questions.ts'

const BLOCK_MS = 10_000
const STREAM_TTL_S = 3_600
const TTL_RENEW_MS = 600_000
const BATCH_MAX = 500
/** More than Redis needs for an answer: past it the connection stalls and is made anew. */
const ANSWER_WITHIN_MS = 3_000
/** How often it is looked for questions when nobody says that there is one. */
const LOOK_EVERY_MS = 1_000
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
  /** A promise: something else is waited for, and the next question is not kept waiting for it. */
  answer(question: Question): Answer | Promise<Answer>
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
  const questions = createFairQuestions()
  new Gauge({
    name: 'ticker_questions_waiting',
    help: 'Questions of the control plane that wait for their turn',
    registers: [deps.registry],
    collect() {
      this.set(questions.size())
    },
  })
  let wakeAnswers = () => {}
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

  function take(text: string | undefined) {
    const command = parseCommand(text)
    if (!command) {
      received.inc({ kind: 'malformed', effect: 'skipped' })
      return log.warn({ stream }, 'malformed command skipped')
    }
    if (command.kind === 'nudge') {
      received.inc({ kind: 'nudge', effect: 'woke' })
      return deps.onNudge()
    }
    if (questions.push(command)) wakeAnswers()
    else received.inc({ kind: 'question', effect: 'too_many' })
  }

  async function read(signal: AbortSignal) {
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
        take(message[COMMAND_FIELD])
      }
    }
  }

  async function write(question: Question, answer: string) {
    const expiration = { type: 'EX', value: ANSWER_TTL_S } as const
    await within(ANSWER_WITHIN_MS, deps.writing().set(answerKey(realm, question.id), answer, { expiration }))
    received.inc({ kind: 'question', effect: 'answered' })
  }

  /** Of what takes its time; nobody waits here for it. */
  async function writeLater(question: Question, pending: Promise<Answer>) {
    try {
      await write(question, JSON.stringify(await pending))
    } catch (error) {
      received.inc({ kind: 'question', effect: 'failed' })
      log.warn({ error, call: question.call }, 'question not answered')
    }
  }

  async function answerAll(signal: AbortSignal) {
    while (!signal.aborted) {
      const woken = new AbortController()
      wakeAnswers = () => woken.abort()
      const question = questions.next()
      if (!question) {
        await clock.sleep(LOOK_EVERY_MS, AbortSignal.any([signal, woken.signal]))
        continue
      }
      if (question.deadline_ms <= clock.nowMs()) {
        received.inc({ kind: 'question', effect: 'late' })
        continue
      }
      const startedMs = clock.monotonicMs()
      const given = deps.answer(question)
      const text = given instanceof Promise ? undefined : JSON.stringify(given)
      const tookMs = clock.monotonicMs() - startedMs
      if (given instanceof Promise) void writeLater(question, given)
      if (text !== undefined) await write(question, text)
      // A fifth of the time at most: ticks and orders do not wait for a flood of questions.
      await clock.sleep(REST_TIMES * tookMs, signal)
    }
  }

  return {
    async run(signal) {
      // Whichever ends ends the other; who ran us makes the connections anew.
      const ended = new AbortController()
      const both = AbortSignal.any([signal, ended.signal])
      await Promise.all([read, answerAll].map((loop) => loop(both).finally(() => ended.abort())))
    },
  }
}
