import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { fakeClock } from '../testing/fake-clock.ts'
import { silentLog } from './log.ts'
import { createSupervisor } from './supervisor.ts'

function setup() {
  const clock = fakeClock()
  const registry = new Registry()
  return { clock, registry, supervisor: createSupervisor({ clock, log: silentLog, registry }) }
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

it('restarts a crashed task with growing backoff, counts it and names it as failing', async () => {
  const { clock, registry, supervisor } = setup()
  let starts = 0
  supervisor.run('feed', async () => {
    starts += 1
    throw new Error('boom')
  })
  await clock.advance(0)
  expect(starts).toBe(1)
  expect(supervisor.failing()).toEqual([{ task: 'feed', error: 'boom', crashes: 1 }])
  await clock.advance(249)
  expect(starts).toBe(1)
  await clock.advance(1)
  expect(starts).toBe(2)
  await clock.advance(499)
  expect(starts).toBe(2)
  await clock.advance(1)
  expect(starts).toBe(3)
  expect(await registry.metrics()).toContain('ticker_task_crashes_total{task="feed"} 3')
})

it('takes a task that ends by itself for a crash, and one that runs a minute for healthy', async () => {
  const { clock, supervisor } = setup()
  let starts = 0
  supervisor.run('feed', async (signal) => {
    starts += 1
    if (starts > 1) await untilAborted(signal)
  })
  await clock.advance(250)
  expect(supervisor.failing()).toEqual([{ task: 'feed', error: 'the task ended by itself', crashes: 1 }])
  await clock.advance(60_000)
  expect(supervisor.failing()).toEqual([])
})

it('shows a crash no longer than until the task has done a whole round again', async () => {
  const { clock, supervisor } = setup()
  let isDown = true
  supervisor.run('orders', async (signal, isWell) => {
    while (!signal.aborted) {
      await clock.sleep(10, signal)
      if (isDown) throw new Error('no database')
      isWell()
      await clock.sleep(2_000, signal)
    }
  })
  const hasFailed = () => supervisor.failing().map(({ error }) => error)
  // An outage of ten minutes: named all the time, and tried every 5 s at the end.
  for (let passedMs = 1_000; passedMs < 600_000; passedMs += 1_000) {
    await clock.advance(1_000)
    expect(hasFailed()).toEqual(['no database'])
  }
  isDown = false
  await clock.advance(5_010)
  expect(hasFailed()).toEqual([])
  // A task that fails every other round is not taken for a new one each time.
  isDown = true
  await clock.advance(2_010)
  const { crashes } = supervisor.failing()[0] ?? { crashes: 0 }
  await clock.advance(4_999)
  expect(supervisor.failing()).toEqual([{ task: 'orders', error: 'no database', crashes }])
  await clock.advance(11)
  expect(supervisor.failing()).toEqual([{ task: 'orders', error: 'no database', crashes: crashes + 1 }])
})

it('stops one task, or all, and names those that do not end in time', async () => {
  const { clock, supervisor } = setup()
  const one = supervisor.run('one', untilAborted)
  supervisor.run('stuck', () => new Promise(() => {}))
  expect(() => supervisor.run('stuck', untilAborted)).toThrow('runs already')
  await clock.advance(0)
  await one.stop()
  const stopped = supervisor.stop(1000)
  await clock.advance(1000)
  expect(await stopped).toEqual(['stuck'])
})
