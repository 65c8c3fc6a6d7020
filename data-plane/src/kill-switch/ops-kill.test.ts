import { createHash } from 'node:crypto'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { Registry } from 'prom-client'
import { afterEach, expect, it, vi } from 'vitest'
import { kill } from '../cli/kill.ts'
import { systemClock } from '../clock.ts'
import { silentLog } from '../operations/log.ts'
import { createOpsServer } from '../operations/ops-server.ts'
import { createReadiness } from '../operations/readiness.ts'
import { createHalts } from './halts.ts'
import { createOpsKill } from './ops-kill.ts'

const TOKEN = 'hush'
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  vi.restoreAllMocks()
})

async function setup(tokenSha256 = createHash('sha256').update(TOKEN).digest('hex')) {
  const sweep = vi.fn()
  const halts = createHalts({
    ...{ stateDir: undefined, clock: systemClock, log: silentLog },
    store: { halt: async () => {} },
  })
  const door = createOpsKill({
    clock: systemClock,
    tokenSha256,
    halts,
    accountIds: () => ['a', 'b'],
    sweep,
    sweeps: () => [],
  })
  const server = createOpsServer({ readiness: createReadiness(), registry: new Registry(), kill: door })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const ask = async (method: string, token: string | undefined, body?: string) => {
    const response = await fetch(`${url}/ops/kill`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      body: body ?? null,
    })
    const answer: unknown = await response.json()
    return { status: response.status, body: answer }
  }
  return { url, ask, halts, sweep }
}

it('halts every account of the instance and begins the sweep', async () => {
  const { ask, halts, sweep } = await setup()
  const pulled = await ask('POST', TOKEN, '{"reason":"fat finger"}')
  expect(pulled).toMatchObject({
    status: 202,
    body: { halts: [{ account_id: 'a', reason: 'fat finger' }, {}] },
  })
  expect(halts.isHalted('b')).toBe(true)
  expect(sweep).toHaveBeenCalledTimes(1)
  expect((await ask('GET', TOKEN)).body).toMatchObject({ halts: [{}, {}], sweeps: [] })
})

it.each([undefined, '', '{', '[]', '{"reason":7}', 'x'.repeat(10_000)])(
  'a body of %s is no reason not to',
  async (body) => {
    const { ask, halts } = await setup()
    expect((await ask('POST', TOKEN, body)).status).toBe(202)
    expect(halts.list()[0]?.reason).toBe('The kill switch was pulled.')
  },
)

it('a body that does not come holds nothing back', async () => {
  const { url, halts, sweep } = await setup()
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(
    `POST /ops/kill HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 100\r\n\r\n`,
  )
  await vi.waitFor(() => expect([halts.isHalted('a'), sweep.mock.calls.length]).toEqual([true, 1]))
  const answered = await new Promise<string>((resolve) =>
    socket.once('data', (bytes) => resolve(String(bytes))),
  )
  expect(answered).toContain(' 202 ')
  socket.destroy()
})

it('another token, none, or none configured: nothing happens', async () => {
  const { ask, halts } = await setup()
  expect((await ask('POST', 'wrong')).status).toBe(401)
  expect((await ask('POST', undefined)).status).toBe(401)
  expect((await ask('GET', 'wrong')).status).toBe(401)
  expect(halts.list()).toEqual([])
})

it('the command pulls all that are named, and fails when one does not answer', async () => {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  const { url, halts } = await setup()
  await kill(['--reason', 'drill', url], { KILL_TOKEN: TOKEN })
  expect(lines).toEqual([`${url}: halted a, b`])
  expect(halts.list()[0]?.reason).toBe('drill')
  await expect(kill([url, 'http://127.0.0.1:1'], { KILL_TOKEN: TOKEN })).rejects.toThrow('1 of 2 data planes')
  await expect(kill([url], { KILL_TOKEN: 'wrong' })).rejects.toThrow('1 of 1 data planes')
  await expect(kill([], { KILL_TOKEN: TOKEN })).rejects.toThrow('OPS_URL')
})
