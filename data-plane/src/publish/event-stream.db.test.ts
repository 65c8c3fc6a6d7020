// The event stream against a real Redis.
import { testRedisUrl } from '@ticker/infra/testing'
import { Registry } from 'prom-client'
import { createClient } from 'redis'
import { expect, it, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../operations/log.ts'
import { createRedisConnection } from '../operations/redis-connection.ts'
import { createEventStream, eventStreamKey } from './event-stream.ts'

it('keeps events while Redis is away, oldest dropped first, and sends them in order when it is back', async () => {
  const reader = await createClient({ url: testRedisUrl(), RESP: 2 }).connect()
  const connection = createRedisConnection({
    url: testRedisUrl(),
    name: 'events',
    clock: systemClock,
    random: () => 0,
    log: silentLog,
  })
  let away = true
  const registry = new Registry()
  const instanceId = `instance-${process.pid}-${Date.now()}`
  const events = createEventStream({
    realm: 'sim',
    instanceId,
    clock: systemClock,
    log: silentLog,
    registry,
    connection: { ...connection, ready: () => !away && connection.ready() },
  })
  for (let index = 0; index < 1_005; index += 1)
    events.emit({ event_type: 'session_changed', account_id: `a${index}`, session: 'active' })
  const controller = new AbortController()
  const running = events.run(controller.signal)
  away = false
  const received = async () => {
    const entries = await reader.xRange(eventStreamKey('sim'), '-', '+')
    return (entries ?? [])
      .map(({ message }) => JSON.parse(message.event ?? '{}'))
      .filter((event) => event.instance_id === instanceId)
  }
  await vi.waitFor(async () => expect(await received()).toHaveLength(1_000), { timeout: 10_000 })
  const all = await received()
  expect(all[0]).toMatchObject({ event_type: 'session_changed', account_id: 'a5', realm: 'sim' })
  expect(all.at(-1)).toMatchObject({ account_id: 'a1004' })
  expect(await registry.metrics()).toContain('ticker_events_total{outcome="dropped"} 5')
  controller.abort()
  await running
  connection.stop()
  reader.destroy()
})
