import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { createPost } from './post.ts'

let server: Server | undefined
afterEach(() => server?.close())

const signal = new AbortController().signal
const TIMEOUT_MS = 500
const refusing = createPost({ timeoutMs: TIMEOUT_MS, privateTargets: 'refuse' })
const allowing = createPost({ timeoutMs: TIMEOUT_MS, privateTargets: 'allow' })
const NOT_PUBLIC = { ok: false, status: null, error: 'its host leads to an address that is not public' }

/** How often it was connected to. */
async function endpoint(answer: (response: ServerResponse) => void) {
  let connections = 0
  const received: string[] = []
  server = createServer((request, response) => {
    request.on('data', (chunk) => received.push(String(chunk)))
    request.on('end', () => answer(response))
  })
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { port, received, connections: () => connections }
}

it('a 2xx is delivered, anything else is not, redirects included', async () => {
  let status = 204
  const { port, received } = await endpoint((response) =>
    response.writeHead(status, { location: '/there' }).end('no'),
  )
  const send = () => allowing(new URL(`http://127.0.0.1:${port}/hook`), {}, '{"a":1}', signal)
  expect(await send()).toEqual({ ok: true, status: 204 })
  expect(received).toEqual(['{"a":1}'])
  status = 500
  expect(await send()).toEqual({ ok: false, status: 500, error: 'it answered 500' })
  status = 302
  expect(await send()).toEqual({ ok: false, status: 302, error: 'it redirects, which is not followed' })
})

it('an endpoint that does not answer in time, or not at all, fails with words', async () => {
  const { port } = await endpoint(() => {})
  const late = await allowing(new URL(`http://127.0.0.1:${port}/`), {}, '{}', signal)
  expect(late).toEqual({ ok: false, status: null, error: 'no answer within 0.5 s' })
  server?.closeAllConnections()
  server?.close()
  const gone = await allowing(new URL(`http://127.0.0.1:${port}/`), {}, '{}', signal)
  expect(gone).toEqual({ ok: false, status: null, error: 'no connection (ECONNREFUSED)' })
})

it('an answer that would switch protocols is an end too', async () => {
  server = createServer()
  server.on('connection', (socket) => {
    socket.on('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    )
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const posted = await allowing(new URL(`http://127.0.0.1:${port}/`), {}, '{}', signal)
  expect(posted).toEqual({ ok: false, status: 101, error: 'it answered 101' })
})

it('an answer without an end does not hold it up', async () => {
  const { port } = await endpoint((response) => response.writeHead(200).write('endless'))
  expect(await allowing(new URL(`http://127.0.0.1:${port}/`), {}, '{}', signal)).toEqual({
    ok: true,
    status: 200,
  })
})

it('nothing connects to an address that is not public, however it is written or resolved', async () => {
  const { port, connections } = await endpoint((response) => response.end())
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433'])
    expect(await refusing(new URL(`https://${host}:${port}/`), {}, '{}', signal), host).toEqual(NOT_PUBLIC)
  // One good address among them does not help: the socket would choose.
  const mixed = createPost({
    ...{ timeoutMs: TIMEOUT_MS, privateTargets: 'refuse' },
    resolve: (_host, done) =>
      done(null, [
        { address: '8.8.8.8', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]),
  })
  expect(await mixed(new URL(`https://desk.example.com:${port}/`), {}, '{}', signal)).toEqual(NOT_PUBLIC)
  expect(connections()).toBe(0)
})

it('plain http is refused where private targets are', async () => {
  const { port, connections } = await endpoint((response) => response.end())
  const posted = await refusing(new URL(`http://127.0.0.1:${port}/`), {}, '{}', signal)
  expect([posted, connections()]).toEqual([{ ok: false, status: null, error: 'it is not https' }, 0])
})
