import { describe, expect, it } from 'vitest'
import { Secret } from '../crypto/secret.ts'
import {
  brokerPlacedMs,
  brokerUpdatedMs,
  deleteSession,
  describeFailure,
  exchangeRequestToken,
  getOrderHistory,
  getOrders,
  getProfile,
  getQuotes,
  isDeadSession,
  KITE_QUOTES_MAX,
  type KiteHttp,
  placedItems,
  quoteRequests,
  readEnvelope,
  tagsOf,
} from './index.ts'

const credentials = { api_key: 'app', access_token: new Secret('tok') }

function answering(status: number, body: unknown) {
  const seen: { url: string; init: RequestInit | undefined }[] = []
  const fetchStub: typeof fetch = async (url, init) => {
    seen.push({ url: String(url), init })
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status })
  }
  const http: KiteHttp = { root: 'http://broker', fetch: fetchStub, timeoutMs: 1000 }
  return { http, seen }
}

describe('readEnvelope', () => {
  it('does not take HTML with status 200 for a success', () => {
    expect(readEnvelope(200, '<html>')).toEqual({ ok: false, failure: { kind: 'unreadable', status: 200 } })
    expect(readEnvelope(200, '[1]')).toEqual({ ok: false, failure: { kind: 'unreadable', status: 200 } })
    expect(readEnvelope(502, '{"status":"success","data":1}').ok).toBe(false)
    expect(readEnvelope(200, '{}').ok).toBe(false)
  })

  it('keeps status, error_type and text of a refusal', () => {
    const outcome = readEnvelope(
      403,
      '{"status":"error","message":"Incorrect `api_key` or `access_token`.","error_type":"TokenException"}',
    )
    expect(outcome).toEqual({
      ok: false,
      failure: {
        kind: 'refused',
        status: 403,
        error_type: 'TokenException',
        message: 'Incorrect `api_key` or `access_token`.',
      },
    })
    expect(!outcome.ok && isDeadSession(outcome.failure)).toBe(true)
    expect(readEnvelope(500, '{"status":"error"}')).toMatchObject({
      failure: { error_type: 'GeneralException', message: '' },
    })
  })
})

describe('sessions', () => {
  it('sends the checksum of key, request token and secret, and keeps the token in a Secret', async () => {
    const { http, seen } = answering(200, {
      status: 'success',
      data: { user_id: 'AB1234', access_token: 'day' },
    })
    const outcome = await exchangeRequestToken(http, {
      api_key: 'a',
      request_token: 'b',
      api_secret: new Secret('c'),
    })
    expect(
      outcome.ok && [outcome.data.user_id, outcome.data.user_name, `${outcome.data.access_token}`],
    ).toEqual(['AB1234', 'AB1234', '[secret]'])
    const form = new URLSearchParams(String(seen[0]?.init?.body))
    expect(form.get('checksum')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  it('logs out and reads the profile with the version header and credentials', async () => {
    const { http, seen } = answering(200, { status: 'success', data: true })
    expect(await deleteSession(http, credentials)).toEqual({ ok: true, data: true })
    expect(seen[0]?.init?.method).toBe('DELETE')
    const profile = answering(200, { status: 'success', data: { user_id: 'AB1234', user_name: 'A' } })
    expect(await getProfile(profile.http, credentials)).toMatchObject({
      ok: true,
      data: { user_id: 'AB1234' },
    })
    expect(profile.seen[0]?.init?.headers).toMatchObject({
      'X-Kite-Version': '3',
      Authorization: 'token app:tok',
    })
    const refused = answering(403, { status: 'error', error_type: 'TokenException', message: 'no' })
    expect((await deleteSession(refused.http, credentials)).ok).toBe(false)
  })
})

const row = {
  order_id: '2042130686722629633',
  status: 'OPEN',
  exchange: 'NSE',
  tradingsymbol: 'INFY',
  transaction_type: 'BUY',
  quantity: 1,
  order_timestamp: '2026-11-23 09:15:01',
  exchange_update_timestamp: '2026-11-23 09:15:02',
  tag: 'mine',
  tags: ['mktp'],
}

describe('orders', () => {
  it('reads book rows, with our tag in tag or tags[], and IST times as epoch ms', async () => {
    const { http } = answering(200, { status: 'success', data: [row] })
    const outcome = await getOrders(http, credentials)
    const [order] = outcome.ok ? outcome.data.orders : []
    if (!order) throw new Error('no order was read')
    expect(tagsOf(order)).toEqual(['mine', 'mktp'])
    expect(brokerUpdatedMs(order)).toBe(Date.parse('2026-11-23T09:15:02+05:30'))
    expect(brokerPlacedMs(order)).toBe(Date.parse('2026-11-23T09:15:01+05:30'))
    expect(order.filled_quantity).toBe(0)
  })

  it('one row in another shape hides no other: it is told by its id and tags, or counted', async () => {
    const data = [
      { ...row, order_id: 1, quantity: 'many' },
      row,
      { order_id: '3', tag: 7, tags: 'x' },
      { nothing: 1 },
      null,
    ]
    const outcome = await getOrders(answering(200, { status: 'success', data }).http, credentials)
    expect(outcome).toMatchObject({
      ok: true,
      data: {
        orders: [{ order_id: row.order_id }],
        misshapen: [
          { order_id: '1', tags: ['mine', 'mktp'] },
          { order_id: '3', tags: [] },
        ],
        unreadable: 2,
      },
    })
  })

  it('takes a null book for an empty one, and what is no book for unreadable', async () => {
    expect(await getOrders(answering(200, { status: 'success', data: null }).http, credentials)).toEqual({
      ok: true,
      data: { orders: [], misshapen: [], unreadable: 0 },
    })
    expect(await getOrders(answering(200, { status: 'success', data: {} }).http, credentials)).toEqual({
      ok: false,
      failure: { kind: 'unreadable', status: 200 },
    })
    const misshapen = await getOrderHistory(
      answering(200, { status: 'success', data: [{}] }).http,
      credentials,
      '1',
    )
    expect(misshapen).toEqual({ ok: false, failure: { kind: 'unreadable', status: 200 } })
  })

  it('reads order ids as strings from every published shape, and forgets nothing that it cannot read', () => {
    const order = (orderId: string) => ({ kind: 'order', orderId })
    const unreadable = { kind: 'unreadable' }
    const error = { code: 400, error_type: 'MarginException', message: 'Insufficient funds', data: null }
    const refused = {
      kind: 'refused',
      status: 400,
      errorType: 'MarginException',
      message: 'Insufficient funds',
    }
    expect(placedItems({ order_id: '2042130686722629633' })).toEqual([order('2042130686722629633')])
    expect(placedItems({ order_id: 17 })).toEqual([order('17')])
    expect(placedItems([{ order_id: '1' }, { error }, {}])).toEqual([order('1'), refused, unreadable])
    expect(placedItems({ order_id: '1', children: [{ order_id: '2' }, { error }, 7] })).toEqual([
      ...[order('1'), order('2'), refused, unreadable],
    ])
    expect(placedItems([{ error: { message: 'no' } }])).toEqual([
      { kind: 'refused', status: 0, errorType: '', message: 'no' },
    ])
    expect(placedItems([])).toEqual([])
    expect(placedItems({ order_id: '1', children: {} })).toEqual([order('1'), unreadable])
    for (const order_id of [null, {}, '', true]) {
      expect(placedItems({ order_id })).toEqual([unreadable])
      expect(placedItems([{ order_id }])).toEqual([unreadable])
    }
    for (const data of [null, 'x', 3, {}]) expect(placedItems(data)).toContainEqual(unreadable)
  })
})

describe('failures without an answer', () => {
  it('tells a timeout from an unreachable host, and shows neither URL nor secret', async () => {
    const hangs: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) =>
        init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      )
    expect(await getOrders({ root: 'http://b', fetch: hangs, timeoutMs: 5 }, credentials)).toEqual({
      ok: false,
      failure: { kind: 'timeout' },
    })
    const refuses: typeof fetch = async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) })
    }
    const outcome = await getOrders({ root: 'http://b', fetch: refuses, timeoutMs: 5 }, credentials)
    expect(outcome).toEqual({ ok: false, failure: { kind: 'network', message: 'ECONNREFUSED' } })
    expect(
      [
        describeFailure({ kind: 'timeout' }),
        describeFailure({ kind: 'network', message: 'ECONNREFUSED' }),
        describeFailure({ kind: 'unreadable', status: 200 }),
        describeFailure({ kind: 'refused', status: 400, error_type: 'InputException', message: 'bad' }),
      ].every((words) => words.length > 5),
    ).toBe(true)
  })
})

describe('quotes', () => {
  const ohlc = { open: 1, high: 2, low: 1, close: 1.5 }
  const index = { instrument_token: 256265, last_price: 2, ohlc, timestamp: '2026-11-25 15:30:00' }

  it('are found by key; what is not there, or of no shape we know, is not', async () => {
    const { http, seen } = answering(200, {
      status: 'success',
      data: { 'NSE:NIFTY 50': index, 'NSE:ODD': { last_price: 'x' } },
    })
    const outcome = await getQuotes(http, credentials, ['NSE:NIFTY 50', 'NSE:M&M', 'NSE:ODD'])
    expect(seen[0]?.url).toBe('http://broker/quote?i=NSE%3ANIFTY%2050&i=NSE%3AM%26M&i=NSE%3AODD')
    if (!outcome.ok) throw new Error('it answered')
    expect([...outcome.data.keys()]).toEqual(['NSE:NIFTY 50'])
    expect(outcome.data.get('NSE:NIFTY 50')).toMatchObject({
      ...{ last_price: 2, timestamp: Date.parse('2026-11-25T10:00:00Z') / 1000 },
    })
  })

  it('are asked for within what the broker takes of a request, all of them once', () => {
    const short = Array.from({ length: 1_001 }, (_, n) => `NSE:S${n}`)
    expect(quoteRequests(short).map((each) => each.length)).toEqual([KITE_QUOTES_MAX, KITE_QUOTES_MAX, 1])
    const long = Array.from({ length: 400 }, (_, n) => `NFO:${'X'.repeat(100)}${n}`)
    const requests = quoteRequests(long)
    expect(requests.flat()).toEqual(long)
    for (const each of requests) expect(each.length).toBeLessThan(150)
    expect(quoteRequests([])).toEqual([])
  })
})
