// The order path: at most once, always accounted for (RELIABILITY: orders).
import { describe, expect, it } from 'vitest'
import { runKiteTicker } from '../../conformance/kite-ticker-process.ts'
import { until } from '../../local/seed.ts'
import { type Desk, LIMIT_ORDER, refusalOf } from '../desk.ts'

const INFY = 408_065
/** INFY trades about 1,500. */
const FILLS_AT_ONCE = 1_600
const RESTS = 1_100
/** Promised: 2 s for a refusal by risk management, 2 s p95 for an adoption. */
const FIVE_TIMES_MS = 10_000

export function orderSuite(desk: () => Desk) {
  describe('orders', () => {
    const post = (change: Record<string, unknown>, key: string) =>
      desk().api.request('POST', '/v1/orders', { ...LIMIT_ORDER, ...change }, { 'Idempotency-Key': key })

    it('a limit order is accepted, then filled, and Kite clients of the account see it with the caller’s tag', async () => {
      const ticker = runKiteTicker(await desk().kiteCredentials(), 'ltp', [INFY])
      try {
        await desk().subscribe([INFY])
        await until('the Kite client is connected', async () =>
          ticker.events.some((event) => event.kind === 'tick'),
        )
        const placed = await desk().place({ price: FILLS_AT_ONCE, tag: 'mine' }, 'filled')
        expect([placed.state, placed.tag]).toEqual(['ACCEPTED', 'mine'])
        await until(
          'it is filled',
          async () => (await desk().brokerStatus(placed.id)) === 'COMPLETE',
          FIVE_TIMES_MS,
        )
        expect((await desk().order(placed.id)).broker_orders).toMatchObject([{ filled_quantity: 1 }])
        await until('the Kite client hears of it', async () =>
          ticker.events.some(
            (event) => event.kind === 'order' && event.status === 'COMPLETE' && event.tag === 'mine',
          ),
        )
        const kinds = await desk().orderEvents(placed.id)
        expect(kinds.slice(0, 3)).toEqual(['intent.queued', 'intent.sending', 'intent.accepted'])
        expect(kinds.length).toBeGreaterThan(3)
      } finally {
        ticker.stop()
      }
    })

    it('row 24: 100 requests with one key are one order and one answer; another body is refused', async () => {
      const before = await desk().ordersAtBroker()
      const placed = await Promise.all(
        Array.from({ length: 100 }, () => desk().place({ price: RESTS }, 'hundred')),
      )
      expect(new Set(placed.map((each) => each.id)).size).toBe(1)
      expect(await desk().ordersAtBroker()).toBe(before + 1)
      const again = await post({ price: RESTS }, 'hundred')
      expect([again.status, again.headers.get('idempotent-replay')]).toEqual([200, 'true'])
      expect(await refusalOf(await post({ price: RESTS + 1 }, 'hundred'))).toEqual([
        422,
        'idempotency_conflict',
      ])
      expect(await desk().ordersAtBroker()).toBe(before + 1)
    })

    it('an order that the broker would refuse for its price step is refused here, and uses no key', async () => {
      expect(await refusalOf(await post({ price: RESTS + 0.03 }, 'step'))).toEqual([422, 'order_invalid'])
      expect((await post({ price: RESTS + 2 }, 'step')).status).toBe(202)
    })

    it('an order that no price reaches is shown as OPEN', async () => {
      const placed = await desk().place({ price: RESTS + 3 })
      await until('it is open', async () => (await desk().brokerStatus(placed.id)) === 'OPEN', FIVE_TIMES_MS)
      expect((await desk().order(placed.id)).broker_orders).toMatchObject([{ filled_quantity: 0 }])
    })

    it('row 21: the reply is lost: in doubt, then adopted by its tag; one order at the broker', async () => {
      const before = await desk().ordersAtBroker()
      await desk().fault('lose_reply')
      const placed = await desk().place({ price: RESTS + 4 })
      await until(
        'it is adopted',
        async () => (await desk().order(placed.id)).state === 'ACCEPTED',
        FIVE_TIMES_MS,
      )
      expect(await desk().orderEvents(placed.id)).toContain('intent.unknown')
      expect((await desk().order(placed.id)).broker_orders).toHaveLength(1)
      expect(await desk().ordersAtBroker()).toBe(before + 1)
    })

    it('row 23: it never arrived: it stays in doubt through several reads of the book, with 0 resends', async () => {
      const before = await desk().ordersAtBroker()
      await desk().fault('never_arrives')
      const placed = await desk().place({ price: RESTS + 5 })
      expect(placed.state).toBe('UNKNOWN')
      const reads = await desk().metric('ticker_order_book_reads_total')
      await until(
        'the book was read for it',
        async () => (await desk().metric('ticker_order_book_reads_total')) >= reads + 2,
      )
      expect((await desk().order(placed.id)).state).toBe('UNKNOWN')
      expect((await desk().orderEvents(placed.id)).filter((kind) => kind === 'intent.sending')).toHaveLength(
        1,
      )
      expect(await desk().ordersAtBroker()).toBe(before)
    })

    it('a rejection by risk management is shown, not retried', async () => {
      const before = await desk().ordersAtBroker()
      await desk().fault('reject_order', { how: 'async' })
      const placed = await desk().place({ price: RESTS + 6 })
      expect(placed.state).toBe('ACCEPTED')
      await until(
        'it is shown as rejected',
        async () => (await desk().brokerStatus(placed.id)) === 'REJECTED',
        FIVE_TIMES_MS,
      )
      expect(await desk().ordersAtBroker()).toBe(before + 1)
    })
  })
}
