import { createServer, type RequestListener, type Server } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import { Secret } from '@ticker/shared/crypto'
import { afterEach, expect, it } from 'vitest'
import { systemClock } from '../clock.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import { ANSWER_TIMEOUT_MS, orderLineFactory } from './order-line.ts'

const credentials = { api_key: 'app', access_token: new Secret('tok') }
const form = new URLSearchParams({ tradingsymbol: 'M&M', quantity: '1' })
const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      closers.push(() => server.close())
      const address = server.address()
      resolve(address && typeof address === 'object' ? address.port : 0)
    })
  })
}

async function lineTo(port: number, clock = systemClock) {
  const opened = await orderLineFactory(`http://127.0.0.1:${port}`, clock)()
  if (!opened.ok) throw new Error(opened.reason)
  return opened.line
}

async function broker(handler: RequestListener) {
  const requests: { url: string | undefined; headers: Record<string, unknown>; body: string }[] = []
  const port = await listening(
    createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        requests.push({ url: request.url, headers: request.headers, body })
        handler(request, response)
      })
    }),
  )
  return { port, requests }
}

it('writes one form POST with the credentials and reads the whole answer', async () => {
  const { port, requests } = await broker((_, response) =>
    response.end('{"status":"success","data":{"order_id":"1"}}'),
  )
  const line = await lineTo(port)
  const sent = await line.send({ method: 'POST', path: '/orders/regular', form }, credentials, () => true)
  expect(sent).toEqual({ kind: 'answered', outcome: { ok: true, data: { order_id: '1' } } })
  expect(requests).toHaveLength(1)
  expect(requests[0]).toMatchObject({
    url: '/orders/regular',
    body: 'tradingsymbol=M%26M&quantity=1',
    headers: {
      authorization: 'token app:tok',
      'x-kite-version': '3',
      'content-type': 'application/x-www-form-urlencoded',
    },
  })
})

it('writes nothing when the check in the same tick fails, or when the broker has closed the connection', async () => {
  let bytes = 0
  const port = await listening(
    createTcpServer((socket) => {
      socket.on('data', (chunk) => {
        bytes += chunk.length
      })
    }),
  )
  expect(
    await (await lineTo(port)).send(
      { method: 'POST', path: '/orders/regular', form },
      credentials,
      () => false,
    ),
  ).toMatchObject({
    kind: 'not_sent',
  })
  const line = await lineTo(port)
  line.discard()
  expect(
    await line.send({ method: 'POST', path: '/orders/regular', form }, credentials, () => true),
  ).toMatchObject({
    kind: 'not_sent',
  })
  expect(bytes).toBe(0)
})

it('answers no_answer when the connection dies before or inside the answer', async () => {
  const dies = await broker((request) => request.socket.destroy())
  expect(
    await (await lineTo(dies.port)).send(
      { method: 'POST', path: '/orders/regular', form },
      credentials,
      () => true,
    ),
  ).toEqual({
    kind: 'no_answer',
    reason: 'reset',
  })
  expect(dies.requests).toHaveLength(1)
  const halfway = await broker((request, response) => {
    response.writeHead(200, { 'Content-Length': 100 })
    response.write('{"status"')
    setImmediate(() => request.socket.destroy())
  })
  expect(
    await (await lineTo(halfway.port)).send(
      { method: 'POST', path: '/orders/regular', form },
      credentials,
      () => true,
    ),
  ).toEqual({
    kind: 'no_answer',
    reason: 'reset',
  })
})

it('bounds the answer', async () => {
  const { port } = await broker((_, response) => response.end('x'.repeat(1_100_000)))
  expect(
    await (await lineTo(port)).send(
      { method: 'POST', path: '/orders/regular', form },
      credentials,
      () => true,
    ),
  ).toEqual({
    kind: 'no_answer',
    reason: 'too_large',
  })
})

it('resets the TCP connection on timeout, so that unsent bytes die', async () => {
  const clock = fakeClock()
  let received = () => {}
  const arrived = new Promise<void>((resolve) => {
    received = resolve
  })
  let ended = (_: string) => {}
  const ending = new Promise<string>((resolve) => {
    ended = resolve
  })
  const port = await listening(
    createTcpServer((socket) => {
      socket.once('data', () => received())
      socket.once('error', (error: NodeJS.ErrnoException) => ended(error.code ?? 'error'))
      socket.once('end', () => ended('end'))
    }),
  )
  const line = await lineTo(port, clock)
  const sending = line.send({ method: 'POST', path: '/orders/regular', form }, credentials, () => true)
  await arrived
  await clock.advance(ANSWER_TIMEOUT_MS)
  expect(await sending).toEqual({ kind: 'no_answer', reason: 'timeout' })
  expect(await ending).toBe('ECONNRESET')
})

it('says why a connection could not be made', async () => {
  const port = await listening(createTcpServer())
  await new Promise<void>((resolve) => {
    const probe = connect(port, '127.0.0.1', () => {
      probe.destroy()
      resolve()
    })
  })
  for (const close of closers.splice(0)) close()
  const opened = await orderLineFactory(`http://127.0.0.1:${port}`, systemClock)()
  expect(opened).toEqual({ ok: false, reason: 'ECONNREFUSED' })
})
