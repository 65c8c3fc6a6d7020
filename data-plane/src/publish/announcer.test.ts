import { expect, it } from 'vitest'
import { createDesiredView } from '../market-data/desired-view.ts'
import { collectWants } from '../market-data/wants.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import { fakeTickSource } from '../testing/fake-tick-source.ts'
import { createAnnouncer } from './announcer.ts'
import { INSTRUMENTS_PER_EVENT, type TickEvent } from './event-stream.ts'

function announcing() {
  const emitted: TickEvent[] = []
  const source = fakeTickSource(fakeClock(), { tokens: [257] })
  const events = { emit: (event: TickEvent) => void emitted.push(event) }
  return { emitted, announcer: createAnnouncer({ events, directory: source.directory }) }
}
type Wish = [token: number, mode: 'ltp' | 'full', owner?: string]
const wishes = (...list: Wish[]) =>
  collectWants((want) => {
    for (const [token, mode, owner = 'o'] of list) want(owner, token, mode, null)
  })

it('says what each owner subscribed, gave up, or wants in another mode, and nothing of what stayed', () => {
  const { emitted, announcer } = announcing()
  const view = createDesiredView()
  view.update(wishes([257, 'ltp'], [513, 'ltp'], [257, 'ltp', 'other']), [])
  announcer.subscriptions(view.update(wishes([257, 'ltp'], [257, 'full'], [257, 'ltp', 'other']), []))
  expect(emitted).toEqual([
    {
      event_type: 'subscriptions_added',
      owner: 'o',
      instruments: [{ instrument_token: 257, exchange: 'NSE', tradingsymbol: 'SYM257', mode: 'full' }],
    },
    {
      event_type: 'subscriptions_removed',
      owner: 'o',
      instruments: [{ instrument_token: 513, exchange: null, tradingsymbol: null }],
    },
  ])
  expect(view.update(wishes([257, 'full'], [257, 'ltp', 'other']), [])).toEqual([])
})

it('counts what is streamed for clients as wanted: a row that goes, or comes, beside it changes nothing', () => {
  const view = createDesiredView()
  view.update(wishes([257, 'ltp']), [])
  const interest = { owner: 'o', token: 257 }
  const full = view.update(undefined, [{ ...interest, before: undefined, after: 'full' }])
  expect(full).toEqual([{ owner: 'o', added: new Map([[257, 'full']]), removed: [] }])
  expect(view.update(wishes(), [])).toEqual([])
  expect(view.wanted()).toBe(0)
  expect(view.update(wishes([257, 'full']), [])).toEqual([])
  expect(view.update(undefined, [{ ...interest, before: 'full', after: undefined }])).toEqual([])
  expect(view.update(wishes(), [])).toEqual([{ owner: 'o', added: new Map(), removed: [257] }])
})

it('splits a large change, and says each change of a session once', () => {
  const { emitted, announcer } = announcing()
  announcer.gap(
    'a',
    Array.from({ length: INSTRUMENTS_PER_EVENT + 1 }, (_, index) => index),
  )
  expect(emitted.map((event) => event.event_type === 'gap' && event.instruments.length)).toEqual([
    INSTRUMENTS_PER_EVENT,
    1,
  ])
  emitted.length = 0
  for (const session of ['active', 'active', 'parked'] as const)
    announcer.sessions([{ account_id: 'a', session }])
  expect(emitted).toEqual([
    { event_type: 'session_changed', account_id: 'a', session: 'active' },
    { event_type: 'session_changed', account_id: 'a', session: 'parked' },
  ])
})

it('says what a dump changed by number and kind, and nothing of a dump that changed nothing', () => {
  const { emitted, announcer } = announcing()
  announcer.instruments(7, {})
  announcer.instruments(8, { lot_size: 2, gone: 1 })
  expect(emitted).toEqual([
    { event_type: 'instruments_changed', snapshot_id: 8, changes: { lot_size: 2, gone: 1 } },
  ])
})
