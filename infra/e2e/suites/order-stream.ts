// What happens to orders, pushed: every event once, to a WebSocket and to server-sent events, over a data plane that is killed.
import { accountOrderEvents } from '@ticker/shared/domain'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { PAPER_ACCOUNT } from '../../local/paper-broker.ts'
import { until } from '../../local/seed.ts'
import { requestEvents } from '../../local/sse-client.ts'
import { type Desk, refusalOf } from '../desk.ts'
import { type Listener, listenByEvents, listenBySocket } from '../order-listeners.ts'

const [FILLS_AT_ONCE, RESTS] = [1_600, 1_100]
/** Promised: the lease of the killed process ends within 10 s. */
const BACK_MS = 100_000

export function orderStreamSuite(desk: () => Desk) {
  describe('the order stream', () => {
    const listeners: Listener[] = []
    beforeAll(async () => {
      listeners.push(await listenBySocket(desk().api), await listenByEvents(desk().api))
    })
    afterAll(() => {
      for (const listener of listeners) listener.stop()
    })

    /** Of the account's log, after a number: what REST says. */
    async function logAfter(after: number) {
      const seqs: number[] = []
      for (let last = after; ; ) {
        const page = await desk().api.call(
          accountOrderEvents,
          'GET',
          `/v1/order-events?account_id=demo&after=${last}&limit=500`,
        )
        if (page.items.length === 0) return seqs
        seqs.push(...page.items.map(({ seq }) => seq))
        last = page.last_seq
      }
    }
    /** The log goes on meanwhile: what was heard is held against it as it was at one moment. */
    async function expectExact() {
      let logs: number[][] = []
      let heard: number[][] = []
      await until(
        'both have the whole log',
        async () => {
          logs = await Promise.all(listeners.map(({ began }) => logAfter(began('demo'))))
          heard = listeners.map(({ seqs }) => [...seqs('demo')])
          return logs.every((log, place) => log.length === heard[place]?.length)
        },
        BACK_MS,
      )
      expect(heard).toEqual(logs)
      expect(listeners.map(({ gaps }) => gaps())).toEqual(listeners.map(() => []))
    }

    it('tells of an order from its queueing to its fill, as REST does, with the tag of the caller', async () => {
      const placed = await desk().place({ price: FILLS_AT_ONCE, tag: 'told' })
      await until('both hear of the fill', async () =>
        listeners.every(({ events }) =>
          events.some(
            (event) =>
              event.intent_id === placed.id &&
              event.kind === 'order.updated' &&
              event.broker_order?.status === 'COMPLETE',
          ),
        ),
      )
      await expectExact()
      const [first] = listeners
      const ofOrder = first?.events.filter((event) => event.intent_id === placed.id) ?? []
      expect(ofOrder.map(({ kind }) => kind).slice(0, 3)).toEqual([
        'intent.queued',
        'intent.sending',
        'intent.accepted',
      ])
      expect(new Set(ofOrder.map(({ tag }) => tag))).toEqual(new Set(['told']))
      const { items } = await desk().api.call(
        accountOrderEvents,
        'GET',
        `/v1/order-events?account_id=demo&after=${(ofOrder[0]?.seq ?? 1) - 1}&limit=500`,
      )
      // What an event says of its order is of the moment it is read.
      const fixed = ({ seq, kind, intent_id, order_id, detail, at }: (typeof items)[number]) => [
        ...[seq, kind, intent_id, order_id, detail, at],
      ]
      for (const { events } of listeners)
        expect(events.filter(({ seq }) => seq >= (ofOrder[0]?.seq ?? 0)).map(fixed)).toEqual(items.map(fixed))
    })

    it('the data plane killed in the middle of orders: the union of what clients got is exactly the log', async () => {
      const rest = (tag: string) => desk().place({ price: RESTS, tag })
      await rest('before')
      const burst = Promise.allSettled(['one', 'two', 'three', 'four'].map(rest))
      desk().system.dataPlane.kill('SIGKILL')
      await until('it is down', async () => !desk().system.dataPlane.isRunning())
      await desk().system.dataPlane.start()
      await until(
        'it has the account again',
        async () => (await desk().instance()).accounts.some(({ account_id }) => account_id === 'demo'),
        BACK_MS,
      )
      await burst
      await rest('after')
      await expectExact()
      for (const { connections } of listeners) expect(connections()).toBeGreaterThan(1)
      expect(await desk().metric('ticker_order_stream_clients')).toBe(2)
    })

    it('is not for a key without orders:read, nor for accounts that are not on its list', async () => {
      const made = z.object({ ticket: z.string(), stream_url: z.string() })
      const deaf = await desk().keyWith({ scopes: ['stream'] })
      const { ticket, stream_url } = await deaf.call(made, 'POST', '/v1/stream-tickets')
      const url = `${stream_url.replace(/^ws/, 'http')}/orders`
      const refused = await requestEvents(url, { Authorization: `Bearer ${ticket}` })
      if (!(refused instanceof Response)) throw new Error('it streams')
      expect(await refusalOf(refused)).toEqual([403, 'scope_missing'])
      const listed = await desk().keyWith({ scopes: ['stream', 'orders:read'], account_ids: [PAPER_ACCOUNT] })
      const listener = await listenBySocket(listed)
      try {
        expect(listener.accounts()).toEqual([PAPER_ACCOUNT])
      } finally {
        listener.stop()
      }
    })
  })
}
