import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import { createCommandReader, RedisStalled } from './reader.ts'

it('a Redis that neither answers nor fails ends the pass, so that the connection is made anew', async () => {
  const clock = fakeClock()
  const never = () => new Promise<never>(() => {})
  const reader = createCommandReader({
    realm: 'sim',
    instanceId: 'i',
    reading: () => ({ xRead: never }),
    writing: () => ({ set: never, expire: async () => 1 }),
    clock,
    log: silentLog,
    registry: new Registry(),
    onNudge: () => {},
    answer: () => ({ ok: true, result: null }),
  })
  const running = reader.run(new AbortController().signal)
  const ended = expect(running).rejects.toThrow(RedisStalled)
  await clock.advance(20_000)
  await ended
})
