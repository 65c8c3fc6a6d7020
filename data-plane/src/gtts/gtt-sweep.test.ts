import { Secret } from '@ticker/shared/crypto'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { createWriteMetrics } from '../account-writes/metrics.ts'
import { silentLog } from '../operations/log.ts'
import type { OrderLineFactory } from '../orders/order-line.ts'
import { answered } from '../testing/broker-answers.ts'
import { ACCOUNT } from '../testing/send-path/idle-parts.ts'
import { GTT, listed } from '../testing/write-path.ts'
import { createGttSweep } from './gtt-sweep.ts'

const account = {
  ...ACCOUNT,
  session: { version: 1, brokerUserId: 'X', accessToken: new Secret('token'), expiresAtMs: 1e15 },
}
function setup(
  list: { gtts: ReturnType<typeof listed>[]; unreadable: number } | undefined,
  reachable = true,
) {
  const sent: string[] = []
  const connect: OrderLineFactory = async () =>
    reachable
      ? {
          ok: true,
          line: {
            discard: () => {},
            send: async ({ method, path }) => {
              sent.push(`${method} ${path}`)
              return answered(200, { status: 'success', data: { trigger_id: 1 } })
            },
          },
        }
      : { ok: false, reason: 'ECONNREFUSED' }
  const sweep = createGttSweep({
    ...{ log: silentLog, metrics: createWriteMetrics(new Registry()), connect, turn: async () => false },
    read: async () => (list ? { ok: true, data: list } : { ok: false, failure: { kind: 'timeout' } }),
  })
  return { sent, sweep: () => sweep(account, new AbortController().signal) }
}

it('deletes what is active, whoever placed it, and says how many there were', async () => {
  const gtts = [listed('1'), listed('2', GTT, { status: 'triggered' }), listed('3')]
  const { sweep, sent } = setup({ gtts, unreadable: 0 })
  expect(await sweep()).toBe(2)
  expect(sent).toEqual(['DELETE /gtt/triggers/1', 'DELETE /gtt/triggers/3'])
})

it.each([
  ['the list cannot be read', setup(undefined), undefined],
  ['a row cannot be read', setup({ gtts: [], unreadable: 1 }), 1],
  ['the broker cannot be reached', setup({ gtts: [listed('1')], unreadable: 0 }, false), 1],
  ['there is none', setup({ gtts: [], unreadable: 0 }), 0],
])('%s', async (_, { sweep, sent }, left) => {
  expect(await sweep()).toBe(left)
  expect(sent).toEqual([])
})
