import { answerKey, commandStreamKey } from '@ticker/shared/commands'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { type CommandRedis, commandChannel } from './channel.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const FINE = z.object({ fine: z.int() })
const STATUS = { call: 'instance_status', params: {} } as const
const sleeps: number[] = []
const clock: Clock = {
  nowMs: () => Date.now(),
  async sleep(ms) {
    sleeps.push(ms)
    vi.setSystemTime(Date.now() + ms)
  },
}

function setUp(redis: Partial<CommandRedis> = {}) {
  sleeps.length = 0
  const append = vi.fn<CommandRedis['append']>(redis.append ?? (async () => {}))
  const take = vi.fn<CommandRedis['take']>(redis.take ?? (async () => null))
  const channel = commandChannel({ redis: { append, take }, realm: 'sim', clock, log: () => {} })
  return { channel, append, take }
}
const failing = async () => {
  throw new Error('down')
}

describe('nudge', () => {
  test('goes to the stream of every listener, and nowhere when there is none', async () => {
    const { channel, append } = setUp()
    await channel.nudge('fleet', [])
    expect(append).not.toHaveBeenCalled()
    await channel.nudge({ account_id: 'desk1' }, ['i1', 'i2'])
    expect(append.mock.calls[0]?.[0]).toEqual([commandStreamKey('sim', 'i1'), commandStreamKey('sim', 'i2')])
    expect(JSON.parse(append.mock.calls[0]?.[2] ?? '')).toEqual({
      kind: 'nudge',
      subject: { account_id: 'desk1' },
    })
  })

  test('never rejects; five failures open the breaker, which spares Redis for 2 s, then one try closes it', async () => {
    let down = true
    const { channel, append } = setUp({
      append: async () => {
        if (down) throw new Error('down')
      },
    })
    for (let index = 0; index < 8; index += 1) await channel.nudge('fleet', ['i1'])
    expect(append).toHaveBeenCalledTimes(5)
    expect(channel.breaker()).toBe('open')
    vi.setSystemTime(Date.now() + 2_001)
    await channel.nudge('fleet', ['i1'])
    expect(append).toHaveBeenCalledTimes(6)
    expect(channel.breaker()).toBe('open')
    down = false
    vi.setSystemTime(Date.now() + 2_001)
    await channel.nudge('fleet', ['i1'])
    expect(channel.breaker()).toBe('closed')
  })
})

test('a probe leaves a closed breaker alone, and closes an open one once Redis is back', async () => {
  let down = true
  const { channel, take } = setUp({
    append: failing,
    take: async () => {
      if (down) throw new Error('down')
      return null
    },
  })
  expect(await channel.probe()).toBe('closed')
  for (let index = 0; index < 5; index += 1) await channel.nudge('fleet', ['i1'])
  expect(await channel.probe()).toBe('open')
  expect(take).not.toHaveBeenCalled()
  vi.setSystemTime(Date.now() + 2_001)
  expect(await channel.probe()).toBe('open')
  down = false
  vi.setSystemTime(Date.now() + 2_001)
  expect(await channel.probe()).toBe('closed')
  expect(take).toHaveBeenCalledTimes(2)
})

describe('ask', () => {
  test('polls at 20, 40, 80 … 500 ms until the answer is there', async () => {
    let polls = 0
    const { channel, append, take } = setUp({
      take: async () => {
        polls += 1
        return polls < 7 ? null : JSON.stringify({ ok: true, result: { fine: 1 } })
      },
    })
    expect(await channel.ask('i1', STATUS, FINE)).toEqual({ kind: 'answered', result: { fine: 1 } })
    expect(sleeps).toEqual([20, 40, 80, 160, 320, 500, 500])
    const question = JSON.parse(append.mock.calls[0]?.[2] ?? '')
    expect(question).toMatchObject({
      kind: 'question',
      call: 'instance_status',
      deadline_ms: expect.any(Number),
    })
    expect(take).toHaveBeenCalledWith(answerKey('sim', question.id))
  })

  test('gives up before its deadline of 10 s', async () => {
    const startMs = Date.now()
    const { channel } = setUp()
    expect(await channel.ask('i1', STATUS, FINE, 60_000)).toEqual({
      kind: 'unreachable',
      retryAfterS: 5,
    })
    expect(Date.now() - startMs).toBeLessThanOrEqual(10_000)
  })

  test('an answer that is none, or a refusal, is unreachable', async () => {
    const refusal = setUp({ take: async () => JSON.stringify({ ok: false, code: 'x', message: 'y' }) })
    expect((await refusal.channel.ask('i1', STATUS, FINE)).kind).toBe('unreachable')
    const nonsense = setUp({ take: async () => '{}' })
    expect((await nonsense.channel.ask('i1', STATUS, FINE)).kind).toBe('unreachable')
    const ofAnotherRelease = setUp({ take: async () => JSON.stringify({ ok: true, result: { good: 1 } }) })
    expect((await ofAnotherRelease.channel.ask('i1', STATUS, FINE)).kind).toBe('unreachable')
  })

  test('fails at once while Redis is away, and says when to come again', async () => {
    const { channel } = setUp({ append: failing })
    for (let index = 0; index < 6; index += 1) {
      expect(await channel.ask('i1', STATUS, FINE)).toEqual({ kind: 'unreachable', retryAfterS: 2 })
    }
    expect(sleeps).toEqual([])
  })
})
