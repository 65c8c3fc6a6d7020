// The answer to an order that the broker cuts: whatever it says of each slice, none is forgotten and none is doubled.
import { readEnvelope } from '@ticker/shared/kite-http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Verdict, verdictOf } from './verdict.ts'

const answer = (data: unknown): Verdict =>
  verdictOf({
    kind: 'answered',
    outcome: readEnvelope(200, JSON.stringify({ status: 'success', data })),
  })
const refusal = (code: number, error_type: string, message: string) => ({
  error: { code, error_type, message, data: null },
})
const LISTED = [
  refusal(400, 'MarginException', 'Insufficient funds.'),
  refusal(400, 'InputException', 'Invalid `price`.'),
  refusal(429, 'NetworkException', 'Too many requests'),
]
const UNLISTED = [
  refusal(400, 'OrderException', 'Something new'),
  refusal(500, 'GeneralException', 'Something went wrong'),
  refusal(400, 'OrderException', 'Order request timed out. Please check the order book and confirm.'),
  { error: { message: 'Insufficient funds.' } },
]
const UNREADABLE = [{}, null, 7, { order_id: null }, { error: 'no' }, { error: {} }]

interface Slice {
  kind: 'placed' | 'listed' | 'unlisted' | 'unreadable'
  item: unknown
}
const ofKind = (kind: Slice['kind'], items: fc.Arbitrary<unknown>) =>
  items.map((item): Slice => ({ kind, item }))
const slice = fc.oneof(
  ofKind(
    'placed',
    fc.stringMatching(/^[1-9]\d{18}$/).map((order_id) => ({ order_id })),
  ),
  ofKind('listed', fc.constantFrom(...LISTED)),
  ofKind('unlisted', fc.constantFrom(...UNLISTED)),
  ofKind('unreadable', fc.constantFrom(...UNREADABLE)),
)
const slices = fc.array(slice, { minLength: 2, maxLength: 10 })
const placedIds = (all: Slice[]) =>
  all.flatMap(({ kind, item }) => (kind === 'placed' ? [Object(item).order_id] : []))
const idsOf = (verdict: Verdict) => ('orderIds' in verdict ? (verdict.orderIds ?? []) : [])

describe('the verdict on slices', () => {
  it('keeps every order id and accounts for every other slice, in either shape', () => {
    fc.assert(
      fc.property(slices, fc.stringMatching(/^[1-9]\d{18}$/), fc.boolean(), (some, parent, flat) => {
        const items = some.map(({ item }) => item)
        const all: Slice[] = flat ? some : [{ kind: 'placed', item: { order_id: parent } }, ...some]
        const verdict = answer(flat ? items : { order_id: parent, children: items })
        const count = (kind: Slice['kind']) => all.filter((each) => each.kind === kind).length
        const said = 'slices' in verdict ? verdict.slices : undefined
        expect(new Set(idsOf(verdict))).toEqual(new Set(placedIds(all)))
        expect(said?.refused).toHaveLength(count('listed'))
        expect(said?.in_doubt).toHaveLength(count('unlisted') + count('unreadable'))
        if (count('unreadable') > 0) expect(verdict.state).toBe('UNKNOWN')
        else if (count('placed') > 0) expect(verdict.state).toBe('ACCEPTED')
        else expect(verdict.state).toBe(count('unlisted') > 0 ? 'UNKNOWN' : 'REJECTED')
      }),
    )
  })

  it('never lets an answer with slices be sent again, nor rejects on what is not listed', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            slice.map(({ item }) => item),
            fc.anything(),
          ),
          { maxLength: 10 },
        ),
        (items) => {
          const verdict = answer(items)
          expect(verdict.state).not.toMatch(/^QUEUED/)
          const words = JSON.stringify(LISTED)
          if (verdict.state === 'REJECTED')
            for (const item of items) expect(words).toContain(JSON.stringify(item))
        },
      ),
    )
  })

  it('an order that is named twice is one', () => {
    expect(answer({ order_id: '1', children: [{ order_id: '1' }, { order_id: '2' }] })).toMatchObject({
      orderIds: ['1', '2'],
    })
  })

  it('one order alone is no cut one', () => {
    expect(answer({ order_id: '1' })).toEqual({ state: 'ACCEPTED', orderIds: ['1'] })
    expect(answer({ order_id: '1', children: [] })).toEqual({ state: 'ACCEPTED', orderIds: ['1'] })
    for (const nothing of [[], {}, null, 'x']) expect(answer(nothing).state).toBe('UNKNOWN')
  })

  it('a parent whose children cannot be read is known, and the rest in doubt', () => {
    expect(answer({ order_id: '1', children: 'x' })).toMatchObject({
      ...{ state: 'UNKNOWN', orderIds: ['1'], slices: { refused: [], in_doubt: [expect.any(String)] } },
    })
  })

  it('every slice refused: the gravest of the refusals decides, with all of their words', () => {
    const [funds] = LISTED
    expect(answer([funds, funds])).toMatchObject({ state: 'REJECTED', reason: 'Insufficient funds.' })
    expect(answer([funds, refusal(403, 'PermissionException', 'IP not registered')])).toMatchObject({
      ...{ state: 'REJECTED_AND_GATE', reason: 'Insufficient funds.; IP not registered' },
    })
    expect(answer([refusal(428, 'HoldingException', 'Not authorised.')]).state).toBe('NEEDS_AUTHORISATION')
  })
})
