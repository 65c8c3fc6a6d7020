// The document is what AsyncAPI calls one, what is committed, and what clients are really sent. After a change:
//   npx pnpm exec vitest run --project unit data-plane/src/stream/asyncapi -u
import { createServer, type Server } from 'node:http'
import asyncApiSpecs from '@asyncapi/specs'
import { Ajv } from 'ajv'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { closeServer, listen } from '../../operations/listen.ts'
import { streamHarness } from '../../testing/stream-harness.ts'
import { RATE_HZ_MAX } from '../protocol.ts'
import { routeRequests } from '../route-requests.ts'
import { asyncApiDocument } from './document.ts'
import { CLIENT_MESSAGES, SERVER_MESSAGES } from './messages.ts'
import { asyncApiText, createAsyncApiHandler } from './route.ts'

const COMMITTED = '../../../../docs/asyncapi.json'
const document = asyncApiDocument()
const [A, B] = [257, 513]

describe('the AsyncAPI document', () => {
  it('is the committed docs/asyncapi.json', async () => {
    await expect(asyncApiText()).toMatchFileSnapshot(COMMITTED)
  })

  it('is AsyncAPI 3.0.0', () => {
    // Its schema brings the meta-schema along; what it calls formats are hints.
    const ajv = new Ajv({ strict: false, meta: false, validateSchema: false, validateFormats: false })
    const isAsyncApi = ajv.compile(asyncApiSpecs.schemas['3.0.0'])
    expect([isAsyncApi(document), isAsyncApi.errors]).toEqual([true, null])
    expect(isAsyncApi({ ...document, channels: { stream: { address: 1 } } })).toBe(false)
  })

  it('refers to nothing that is not in it', () => {
    const pointers = [...asyncApiText().matchAll(/"\$ref": "#\/([^"]*)"/g)].map(([, pointer = '']) => pointer)
    expect(pointers.length).toBeGreaterThan(50)
    for (const pointer of new Set(pointers)) {
      const target = pointer
        .split('/')
        .reduce<unknown>(
          (at, name) => Object.entries(Object(at)).find(([key]) => key === name)?.[1],
          document,
        )
      expect(target, pointer).toBeDefined()
    }
  })
})

/** As a client would: by the document alone. */
function schemaCheck(name: string) {
  // What JSON Schema calls a format is a hint; the date has a pattern beside it.
  const ajv = new Ajv({ strict: false, formats: { date: true } })
  ajv.addSchema({ $id: 'doc', ...document })
  return (message: unknown) => {
    const ok = ajv.validate(`doc#/components/schemas/${name}`, message)
    return ok ? 'fits' : ajv.errorsText()
  }
}

describe('what is sent and received', () => {
  it('fits the schema the document names for it, every word of the protocol', async () => {
    const { clock, source, all, chains, candles, orders, hub, join } = streamHarness([A, B], {}, 4_096)
    const { socket, say, client } = join()
    const stop = new AbortController()
    const { signal } = stop
    const loops = [all.runFlush(signal), all.runHousekeeping(signal), chains.run(signal), candles.run(signal)]
    loops.push(orders.stream.run(signal, () => {}))
    for (const account of ['desk1', 'desk2']) orders.account(account)
    orders.happen('desk1')
    const said: { op: string; [field: string]: unknown }[] = [
      { op: 'resume', id: 'r', stream_id: '77', seq: 0 },
      { op: 'subscribe', id: 1, instruments: [A, 'NSE:SYM513', 'NSE:NOPE'] },
      { op: 'ping', id: 'p' },
      { op: 'unsubscribe', instruments: [B] },
      { op: 'subscribe', instruments: [B], mode: 'ltp', delivery: 'latest', rate_hz: RATE_HZ_MAX },
      { op: 'subscribe_chain', id: 'c', underlying: 'NIFTY', strikes: 5, model: 'bsm', rate: 0.07 },
      { op: 'subscribe_chain', underlying: 'NOSUCH', expiry: '2026-12-29', every_s: 60 },
      { op: 'subscribe_chain', underlying: 'NOSUCH' },
      { op: 'unsubscribe_chain', chain_id: '2' },
      { op: 'subscribe_candles', id: 2, instruments: [A, 'NSE:NOPE'], interval: '15s' },
      { op: 'subscribe_candles', instruments: [B], interval: '1d' },
      { op: 'unsubscribe_candles', instruments: [B], interval: '1d' },
      { op: 'subscribe_orders', id: 3, accounts: ['desk1', 'desk2'], after: { desk1: 0, desk2: 9 } },
    ]
    for (const mode of ['ltp', 'quote', 'full'] as const) source.tick(A, 100.05, mode)
    for (const op of said) say(op)
    for (let price = 0; price < 100; price += 1) source.tick(A, price)
    source.tick(B, 7)
    hub.receive(client, '{')
    await clock.advance(6_000)
    source.setServing(A, 'stale')
    source.tick(A, 101)
    orders.goAway(() => new Promise((resolve) => clock.after(3_000, resolve)))
    await clock.advance(4_000)
    orders.goAway(undefined)
    orders.accounts.delete('desk2')
    await clock.advance(4_000)
    const last = { op: 'unsubscribe_orders', id: 4 }
    say(last)
    said.push(last)
    stop.abort()
    await Promise.all(loops)

    for (const op of said) {
      const { schema } = Object.entries(CLIENT_MESSAGES).find(([name]) => name === op.op)?.[1] ?? {}
      expect([op.op, schemaCheck(schema ?? '')(op)]).toEqual([op.op, 'fits'])
    }
    expect(schemaCheck('Subscribe')({ op: 'subscribe', instruments: [], mode: 'depth' })).not.toBe('fits')
    const words = Object.entries(SERVER_MESSAGES)
    const messages = [...socket.messages(), { op: 'close', code: 1012, reason: 'restarting' }]
    expect(new Set(messages.map(({ op }) => op))).toEqual(new Set(words.map(([word]) => word)))
    for (const [word, { schema }] of words) {
      const check = schemaCheck(schema)
      for (const message of messages) {
        if (message.op === word) expect([word, check(message)]).toEqual([word, 'fits'])
        // Strict enough to tell one from another.
        else expect(check(message)).not.toBe('fits')
      }
    }
  })

  it('may gain fields that a client does not know', () => {
    expect(schemaCheck('Close')({ op: 'close', code: 1012, reason: 'restarting', later: 1 })).toBe('fits')
  })
})

describe('GET /asyncapi.json', () => {
  let server: Server
  let url: string
  beforeEach(async () => {
    server = createServer(routeRequests([createAsyncApiHandler()]))
    url = `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`
  })
  afterEach(() => closeServer(server))

  it('serves it to anybody, and nothing else', async () => {
    const response = await fetch(`${url}/asyncapi.json`)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual(JSON.parse(asyncApiText()))
    expect((await fetch(`${url}/asyncapi.json`, { method: 'HEAD' })).status).toBe(200)
    const refused = await fetch(`${url}/asyncapi.json`, { method: 'POST' })
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect((await fetch(`${url}/openapi.json`)).status).toBe(404)
  })
})
