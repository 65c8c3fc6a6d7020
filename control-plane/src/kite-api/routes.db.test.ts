// Every route of the three official clients: the broker's envelope, and none is missing. Their tables, of kiteconnect 5.3
// (JavaScript), pykiteconnect 5.2 and gokiteconnect 4; of a route that several have, once.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

const ORDER =
  'exchange=NSE&tradingsymbol=INFY&transaction_type=BUY&quantity=1&product=CNC&order_type=LIMIT&price=1500'

/** What it answers of an account whose instance is away: the broker's part cannot be asked, all else is known here. */
const ALL: readonly (readonly [method: string, path: string, status: number, type: string, body?: string])[] =
  [
    ['POST', '/session/token', 400, 'InputException', 'api_key=a&request_token=b&checksum=c'],
    ['DELETE', '/session/token?api_key=a&access_token=b', 200, 'success'],
    ['POST', '/session/refresh_token', 400, 'InputException', 'refresh_token=b'],
    ['GET', '/user/profile', 200, 'success'],
    ['GET', '/user/profile/full', 200, 'success'],
    ['GET', '/user/margins', 503, 'NetworkException'],
    ['GET', '/user/margins/equity', 503, 'NetworkException'],
    ['GET', '/orders', 200, 'success'],
    ['GET', '/trades', 503, 'NetworkException'],
    ['GET', '/orders/1', 400, 'InputException'],
    ['GET', '/orders/1/trades', 503, 'NetworkException'],
    ['POST', '/orders/regular', 400, 'InputException', ORDER.replace('LIMIT', 'NONE')],
    ['PUT', '/orders/regular/1', 400, 'InputException', 'price=1'],
    ['DELETE', '/orders/regular/1', 400, 'InputException'],
    ['POST', '/margins/orders', 503, 'NetworkException', 'JSON'],
    ['POST', '/margins/basket?consider_positions=True&mode=compact', 503, 'NetworkException', 'JSON'],
    ['POST', '/charges/orders', 503, 'NetworkException', 'JSON'],
    ['GET', '/portfolio/positions', 503, 'NetworkException'],
    ['GET', '/portfolio/holdings', 503, 'NetworkException'],
    ['GET', '/portfolio/holdings/summary', 503, 'NetworkException'],
    ['GET', '/portfolio/holdings/compact', 503, 'NetworkException'],
    ['GET', '/portfolio/holdings/auctions', 503, 'NetworkException'],
    ['POST', '/portfolio/holdings/authorise', 503, 'NetworkException', 'type=equity'],
    ['GET', '/mf/orders', 503, 'NetworkException'],
    ['GET', '/mf/orders/1', 503, 'NetworkException'],
    ['POST', '/mf/orders', 400, 'InputException', 'amount=1'],
    ['DELETE', '/mf/orders/1', 400, 'InputException'],
    ['GET', '/mf/sips', 503, 'NetworkException'],
    ['GET', '/mf/sips/1', 503, 'NetworkException'],
    ['POST', '/mf/sips', 400, 'InputException', 'amount=1'],
    ['PUT', '/mf/sips/1', 400, 'InputException', 'amount=1'],
    ['DELETE', '/mf/sips/1', 400, 'InputException'],
    ['GET', '/mf/holdings', 503, 'NetworkException'],
    ['GET', '/mf/holdings/INF174K01LS2', 503, 'NetworkException'],
    ['GET', '/mf/allotments', 503, 'NetworkException'],
    ['GET', '/mf/instruments', 400, 'InputException'],
    ['GET', '/instruments', 200, 'text/csv'],
    ['GET', '/instruments/NSE', 200, 'text/csv'],
    ['GET', '/instruments/historical/408065/weekly?from=2026-11-02', 400, 'InputException'],
    ['GET', '/instruments/trigger_range/buy?i=NSE%3AINFY', 503, 'NetworkException'],
    ['GET', '/instruments/NSE/INFY/trigger_range?transaction_type=BUY', 503, 'NetworkException'],
    // Python's of an API that is gone: the broker has it no more either.
    ['GET', '/margins/equity', 404, 'GeneralException'],
    ['GET', '/quote?i=NSE%3AINFY', 503, 'NetworkException'],
    ['GET', '/quote/ohlc?i=NSE%3AINFY', 503, 'NetworkException'],
    ['GET', '/quote/ltp?i=NSE%3AM%26M', 503, 'NetworkException'],
    ['GET', '/alerts', 400, 'InputException'],
    ['POST', '/alerts', 400, 'InputException', 'name=a'],
    ['GET', '/alerts/1', 400, 'InputException'],
    ['PUT', '/alerts/1', 400, 'InputException', 'name=a'],
    ['DELETE', '/alerts?uuid=1', 400, 'InputException'],
    ['GET', '/alerts/1/history', 400, 'InputException'],
  ]
const JSON_ORDERS = JSON.stringify([
  {
    ...{ order_id: '1', exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', variety: 'regular' },
    ...{
      product: 'CNC',
      order_type: 'MARKET',
      quantity: 1,
      price: 0,
      trigger_price: 0,
      average_price: 1_500,
    },
  },
])

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
  await harness.seed.instruments()
  await harness.seed.account('away', { loggedIn: true })
})
afterAll(() => harness.close())

describe.each([
  ['at the root', ''],
  ['under /kite/api', '/kite/api'],
  ['with the double slash of a root that ends with one', '/'],
])('%s', (_, root) => {
  let secret: string
  for (const [method, path, status, type, body] of ALL)
    test(`${method} ${path}: ${status} ${type}`, async () => {
      secret = (await harness.keyWith([...SCOPES])).secret
      const json = body === 'JSON'
      const response = await harness.request(`${root}${path}`, {
        method,
        headers: {
          authorization: `token away:${secret}`,
          'x-kite-version': '3',
          'content-type': json ? 'application/json' : 'application/x-www-form-urlencoded',
        },
        ...(body === undefined ? {} : { body: json ? JSON_ORDERS : body }),
      })
      const text = await response.text()
      expect([response.status, text]).toEqual([status, text])
      if (type === 'text/csv') return expect(response.headers.get('content-type')).toBe('text/csv')
      expect(response.headers.get('content-type')).toBe('application/json')
      const said = JSON.parse(text)
      if (type === 'success') return expect(said).toEqual({ status: 'success', data: expect.anything() })
      expect(said).toEqual({
        ...{ status: 'error', error_type: type, message: expect.stringMatching(/./), data: null },
      })
    })
})

const SCOPES = [
  ...(['accounts:read', 'orders:read', 'orders:write', 'portfolio:read'] as const),
  ...(['stream', 'instruments:read'] as const),
]
