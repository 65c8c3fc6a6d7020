import { Secret } from '@ticker/shared/crypto'
import { expect, it } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import { createDumpSource, DumpNotFetched } from './dump-source.ts'

const DUMP = 'instrument_token\n'

function begin(ids: string[]) {
  const clock = fakeClock()
  const broken = new Set(ids)
  const tried: string[] = []
  const source = createDumpSource({
    ...{ root: 'http://broker', clock, log: silentLog },
    accounts: () =>
      ids.map((accountId) => ({
        accountId,
        credentials: { api_key: accountId, access_token: new Secret('t') },
      })),
    async fetch(_, init) {
      const app = new Headers(init?.headers).get('authorization')?.match(/^token (\w+):/)?.[1] ?? 'nobody'
      tried.push(app)
      if (broken.has(app)) return new Response('', { status: 403 })
      return new Response(DUMP)
    },
  })
  const fails = () => expect(source.fetch()).rejects.toThrow(new DumpNotFetched('the broker answered 403'))
  return { clock, broken, tried, source, ids, fails }
}

it('an account that fails makes no other one wait', async () => {
  const { source, tried, broken, fails } = begin(['a', 'b'])
  broken.delete('b')
  await fails()
  expect([source.waitMs(), source.hasUntried()]).toEqual([0, true])
  expect(Buffer.concat(await source.fetch()).toString()).toBe(DUMP)
  expect(tried).toEqual(['a', 'b'])
})

it('when all have failed the one that may be tried soonest is, each waiting twice as long every time', async () => {
  const { source, tried, clock, fails } = begin(['a', 'b'])
  await fails()
  await clock.advance(500)
  await fails()
  expect([source.waitMs(), source.hasUntried()]).toEqual([1_500, false])
  await clock.advance(1_500)
  expect(source.waitMs()).toBe(0)
  await fails()
  expect(source.waitMs()).toBe(500)
  await clock.advance(500)
  await fails()
  expect(tried).toEqual(['a', 'b', 'a', 'b'])
  expect(source.waitMs()).toBe(3_500)
  for (let at = 0; at < 40; at++) await fails()
  expect(source.waitMs()).toBe(300_000)
})

it('one that logs in meanwhile is tried at once; one that is gone is forgotten', async () => {
  const { source, ids, tried, fails } = begin(['a'])
  await fails()
  expect(source.waitMs()).toBe(2_000)
  ids.push('c')
  expect(source.waitMs()).toBe(0)
  ids.shift()
  await source.fetch()
  ids.push('a')
  expect([source.waitMs(), tried.at(-1)]).toEqual([0, 'c'])
})

it('where nobody is logged in the broker is asked without a session', async () => {
  const { source, broken, tried } = begin([])
  broken.add('nobody')
  await expect(source.fetch()).rejects.toThrow(DumpNotFetched)
  expect([source.waitMs(), source.hasUntried()]).toEqual([2_000, false])
  broken.clear()
  await source.fetch()
  expect(tried).toEqual(['nobody', 'nobody'])
})
