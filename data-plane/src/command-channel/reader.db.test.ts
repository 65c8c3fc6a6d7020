import { testRedisUrl } from '@ticker/infra/testing'
import { answerKey, COMMAND_FIELD, commandStreamKey } from '@ticker/shared/commands'
import { Registry } from 'prom-client'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../operations/log.ts'
import { createCommandReader } from './reader.ts'

const client = () => createClient({ url: testRedisUrl(), RESP: 2 })
const [reading, writing, worker] = [client(), client(), client()]
beforeAll(() => Promise.all([reading.connect(), writing.connect(), worker.connect()]))
afterAll(() => {
  for (const each of [reading, writing, worker]) each.destroy()
})

it('wakes on nudges, answers questions in time, and skips what it cannot read without losing the next', async () => {
  const registry = new Registry()
  const instanceId = `instance-${process.pid}`
  const stream = commandStreamKey('sim', instanceId)
  const nudges = vi.fn()
  const reader = createCommandReader({
    realm: 'sim',
    instanceId,
    reading: () => reading,
    writing: () => writing,
    clock: systemClock,
    log: silentLog,
    registry,
    onNudge: nudges,
    answer: (question) => ({ ok: true, result: { asked: question.call } }),
  })
  const send = (command: string) =>
    worker.sendCommand(['XADD', stream, 'MAXLEN', '~', '10000', '*', COMMAND_FIELD, command])
  const question = (id: string, deadline_ms: number) =>
    JSON.stringify({ kind: 'question', id, call: 'instance_status', params: {}, deadline_ms })
  const controller = new AbortController()
  const running = reader.run(controller.signal)
  await send('{"kind":"nudge","subject":"fleet"}')
  await send('not json')
  await send(question('late', 1))
  await send(question('asked', Date.now() + 60_000))
  await vi.waitFor(async () =>
    expect(await worker.get(answerKey('sim', 'asked'))).toBe(
      '{"ok":true,"result":{"asked":"instance_status"}}',
    ),
  )
  expect(nudges).toHaveBeenCalledTimes(1)
  expect(await worker.get(answerKey('sim', 'late'))).toBeNull()
  const metrics = await registry.metrics()
  expect(metrics).toContain('ticker_commands_total{kind="malformed",effect="skipped"} 1')
  expect(metrics).toContain('ticker_commands_total{kind="question",effect="late"} 1')
  controller.abort()
  await send('{"kind":"nudge","subject":"fleet"}')
  await running
  expect(nudges).toHaveBeenCalledTimes(2)
})

it('writes an answer at once and then rests, so that questions never have more than a fifth of the time', async () => {
  const instanceId = `resting-${process.pid}`
  let aheadMs = 0
  const sleptMs: number[] = []
  const reader = createCommandReader({
    realm: 'sim',
    instanceId,
    reading: () => reading,
    writing: () => writing,
    clock: {
      ...systemClock,
      monotonicMs: () => systemClock.monotonicMs() + aheadMs,
      sleep(ms, signal) {
        sleptMs.push(ms)
        return systemClock.sleep(ms, signal)
      },
    },
    log: silentLog,
    registry: new Registry(),
    onNudge: () => {},
    answer() {
      aheadMs += 10
      return { ok: true, result: null }
    },
  })
  const controller = new AbortController()
  const running = reader.run(controller.signal)
  const send = (command: object) =>
    worker.sendCommand([
      'XADD',
      commandStreamKey('sim', instanceId),
      '*',
      COMMAND_FIELD,
      JSON.stringify(command),
    ])
  await send({
    kind: 'question',
    id: 'long',
    call: 'instance_status',
    params: {},
    deadline_ms: Date.now() + 60_000,
  })
  await vi.waitFor(() => expect(sleptMs.some((ms) => ms >= 40 && ms < 1_000)).toBe(true))
  expect(await worker.get(answerKey('sim', 'long'))).toBe('{"ok":true,"result":null}')
  controller.abort()
  await send({ kind: 'nudge', subject: 'fleet' })
  await running
})

it('a flood of one owner’s questions does not delay another’s, nor a nudge; what takes its time keeps nobody waiting', async () => {
  const instanceId = `fair-${process.pid}`
  const stream = commandStreamKey('sim', instanceId)
  const question = (owner: string, id: string) =>
    JSON.stringify({
      ...{ kind: 'question', id, call: 'quotes', params: { owner, instruments: [1] } },
      deadline_ms: Date.now() + 60_000,
    })
  const add = (command: string) => worker.sendCommand(['XADD', stream, '*', COMMAND_FIELD, command])
  for (let n = 0; n < 50; n += 1) await add(question('flood', `flood-${n}`))
  await add(question('slow', 'slow'))
  await add(question('other', 'other'))
  await add('{"kind":"nudge","subject":"fleet"}')
  const answered: string[] = []
  let nudgedAfter = -1
  const controller = new AbortController()
  const reader = createCommandReader({
    ...{ realm: 'sim', instanceId, clock: systemClock, log: silentLog, registry: new Registry() },
    reading: () => reading,
    writing: () => writing,
    onNudge: () => {
      nudgedAfter = answered.length
    },
    answer(asked) {
      answered.push(asked.id)
      if (asked.id === 'slow') return new Promise(() => {})
      return { ok: true, result: asked.id }
    },
  })
  const running = reader.run(controller.signal)
  await vi.waitFor(() => expect(answered).toHaveLength(52))
  expect(answered.slice(0, 4)).toEqual(['flood-0', 'slow', 'other', 'flood-1'])
  expect(nudgedAfter).toBe(0)
  await vi.waitFor(async () => expect(await worker.get(answerKey('sim', 'other'))).toContain('other'))
  controller.abort()
  await add('{"kind":"nudge","subject":"fleet"}')
  await running
})
