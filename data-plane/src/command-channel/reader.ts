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
import type { RedisClientType } from 'redis'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'

const BLOCK_MS = 20_000
const STREAM_TTL_S = 3_600
const TTL_RENEW_MS = 600_000
const BATCH_MAX = 500

export interface CommandReaderDeps {
  realm: Realm
  instanceId: string
  /** A connection of its own, because XREAD blocks it. */
  reading: Pick<RedisClientType, 'xRead'>
  writing: Pick<RedisClientType, 'set' | 'expire'>
  clock: Clock
  log: Log
  registry: Registry
  onNudge(): void
  answer(question: Question): Promise<Answer>
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

  async function handle(text: string | undefined) {
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
    const answer = await deps.answer(command)
    if (command.deadline_ms <= clock.nowMs()) return received.inc({ kind: 'question', effect: 'late' })
    await deps.writing.set(answerKey(realm, command.id), JSON.stringify(answer), {
      expiration: { type: 'EX', value: ANSWER_TTL_S },
    })
    received.inc({ kind: 'question', effect: 'answered' })
  }

  return {
    async run(signal) {
      let ttlRenewedMs = Number.NEGATIVE_INFINITY
      while (!signal.aborted) {
        if (clock.monotonicMs() - ttlRenewedMs > TTL_RENEW_MS) {
          // A stream of an instance that is gone must not stay for ever.
          await deps.writing.expire(stream, STREAM_TTL_S)
          ttlRenewedMs = clock.monotonicMs()
        }
        const reply = await deps.reading.xRead(
          { key: stream, id: lastId },
          { COUNT: BATCH_MAX, BLOCK: BLOCK_MS },
        )
        for (const { id, message } of reply?.[0]?.messages ?? []) {
          lastId = id
          await handle(message[COMMAND_FIELD])
        }
      }
    },
  }
}
