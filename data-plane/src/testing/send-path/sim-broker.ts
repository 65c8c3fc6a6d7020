// A broker that takes orders and loses replies, refuses, shows orders late, or never hears of them.
import { brokerTime } from '@ticker/shared/domain'
import type { KiteOrder, KiteOutcome, OrderBook } from '@ticker/shared/kite-http'
import { ANSWER_TIMEOUT_MS, type OrderLineFactory } from '../../orders/order-line.ts'
import type { SendOutcome } from '../../orders/verdict.ts'
import { answered, brokerRow, refusal } from '../broker-answers.ts'
import { type Chance, type Scheduler, START_MS } from './scheduler.ts'

type Fate = 'taken' | 'reply_lost' | 'never_arrives' | 'too_many' | 'refused' | 'timeout_400'

interface Placed {
  tag: string
  orderId: string
  visibleMs: number
  row: KiteOrder
}

export interface SimBroker {
  connectFor(instanceId: string, deliver: (answer: () => void) => void): OrderLineFactory
  bookFor(deliver: (answer: () => void) => void): () => Promise<KiteOutcome<OrderBook>>
  placed: Placed[]
  /** Requests that were written, whatever became of them. */
  writes: { tag: string; instanceId: string }[]
  /** Tags that it refused for good. */
  refusedTags: Set<string>
  onWrite(instanceId: string): void
  /** From here on it does as it should. */
  calm(): void
}

/** `prompt`: what it takes it shows within a second, and nothing reaches it late. */
export function createSimBroker(scheduler: Scheduler, chance: Chance, prompt: boolean): SimBroker {
  let isCalm = false
  const placed: Placed[] = []
  const writes: SimBroker['writes'] = []
  const refusedTags = new Set<string>()

  function fateOf(): Fate {
    const drawn = chance.next()
    if (isCalm || drawn < 0.5) return 'taken'
    if (drawn < 0.68) return 'reply_lost'
    if (drawn < 0.78) return 'never_arrives'
    if (drawn < 0.88) return 'too_many'
    return drawn < 0.94 ? 'refused' : 'timeout_400'
  }

  function take(tag: string): string {
    const orderId = `b${placed.length + 1}`
    const delayMs = prompt ? 300 : chance.odds(0.2) ? chance.between(1_000, 90_000) : 50
    const row = brokerRow({
      order_id: orderId,
      tag,
      order_timestamp: brokerTime(START_MS + scheduler.nowMs()),
    })
    placed.push({ tag, orderId, visibleMs: scheduler.nowMs() + delayMs, row })
    return orderId
  }

  /** Undefined: no reply leaves it. */
  function arrive(tag: string, fate: Fate): SendOutcome | undefined {
    switch (fate) {
      case 'never_arrives':
        return undefined
      case 'too_many':
        return refusal(429, 'NetworkException', 'Too many requests')
      case 'refused':
        refusedTags.add(tag)
        return refusal(400, 'MarginException', 'Insufficient funds.')
      case 'timeout_400':
        if (chance.odds(0.5)) take(tag)
        return refusal(400, 'OrderException', 'Order request timed out. Please check the order book.')
      default: {
        const order_id = take(tag)
        return fate === 'taken' ? answered(200, { status: 'success', data: { order_id } }) : undefined
      }
    }
  }

  const broker: SimBroker = {
    onWrite: () => {},
    placed,
    writes,
    refusedTags,
    calm() {
      isCalm = true
    },
    connectFor: (instanceId, deliver) => () =>
      new Promise((resolve) => {
        scheduler.after(chance.between(1, chance.odds(0.1) ? 2_900 : 40), () => {
          if (!isCalm && chance.odds(0.05))
            return deliver(() => resolve({ ok: false, reason: 'ECONNREFUSED' }))
          deliver(() =>
            resolve({
              ok: true,
              line: {
                discard() {},
                async send(request, _credentials, mayWrite) {
                  if (!mayWrite()) return { kind: 'not_sent', reason: 'check failed' }
                  const tag = request.form?.get('tag') ?? ''
                  const fate = fateOf()
                  writes.push({ tag, instanceId })
                  broker.onWrite(instanceId)
                  return new Promise((answer) => {
                    const lateMs = !prompt && chance.odds(0.05) ? chance.between(5_000, 25_000) : 0
                    scheduler.after(lateMs + chance.between(2, 200), () => {
                      const reply = arrive(tag, fate)
                      const waitMs = chance.between(2, chance.odds(0.1) ? 9_000 : 100)
                      if (reply) scheduler.after(waitMs, () => deliver(() => answer(reply)))
                    })
                    const isReset = fate !== 'taken' && chance.odds(0.5)
                    const giveUpMs = isReset ? chance.between(250, ANSWER_TIMEOUT_MS) : ANSWER_TIMEOUT_MS
                    const reason = isReset ? 'reset' : 'timeout'
                    scheduler.after(giveUpMs, () => deliver(() => answer({ kind: 'no_answer', reason })))
                  })
                },
              },
            }),
          )
        })
      }),
    bookFor: (deliver) => () =>
      new Promise((resolve) => {
        scheduler.after(chance.between(2, 150), () => {
          const orders = rowsAt(placed, scheduler.nowMs())
          const fails = !isCalm && chance.odds(0.1)
          scheduler.after(chance.between(2, 150), () =>
            deliver(() =>
              resolve(
                fails
                  ? { ok: false, failure: { kind: 'timeout' } }
                  : { ok: true, data: { orders, misshapen: [], unreadable: 0 } },
              ),
            ),
          )
        })
      }),
  }
  return broker
}

function rowsAt(placed: readonly Placed[], nowMs: number): KiteOrder[] {
  return placed.filter(({ visibleMs }) => visibleMs <= nowMs).map(({ row }) => row)
}
