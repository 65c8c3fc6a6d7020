import { expect, it } from 'vitest'
import { z } from 'zod'
import { call, connect, startTestSimulator } from '../testing/harness.ts'

const USERS = 20
const SOCKETS = 3
const INSTRUMENTS = 3_000

it('serves 20 users × 3 sockets × 3,000 instruments of a 100,000-row market', async () => {
  const users = Array.from({ length: USERS }, (_, index) => ({
    user_id: `U${index}`,
    api_key: `key${index}`,
    api_secret: 'secret',
    access_token: `token-of-${index}`,
  }))
  const simulator = await startTestSimulator({ users, instrumentsCount: 100_000, ticksPerSecond: 0 })
  expect(simulator.instruments).toBe(100_000)
  const dump = (await (await fetch(`${simulator.url}/instruments/NFO`)).text()).split('\n').slice(1)
  const tokens = dump.map((line) => Number(line.slice(0, line.indexOf(','))))
  for (const [index, { api_key, access_token }] of users.entries()) {
    for (let number = 0; number < SOCKETS; number++) {
      const client = await connect(simulator, access_token, '/', api_key)
      if (typeof client === 'number') expect.unreachable(`refused with ${client}`)
      const first = ((index * SOCKETS + number) * INSTRUMENTS) % (tokens.length - INSTRUMENTS)
      client.send({ a: 'mode', v: ['full', tokens.slice(first, first + INSTRUMENTS)] })
    }
  }
  const schema = z.object({
    sockets: z.array(z.object({ subscriptions: z.number(), sent: z.object({ ticks: z.number() }) })),
  })
  const sockets = async () => schema.parse((await call(simulator, 'GET', '/sim/state')).data).sockets
  const all = USERS * SOCKETS * INSTRUMENTS
  const sum = (values: number[]) => values.reduce((one, other) => one + other, 0)
  let open = await sockets()
  while (sum(open.map((socket) => socket.subscriptions)) < all) open = await sockets()
  // The cached tick of each; then every one again from a load.
  expect(sum(open.map((socket) => socket.sent.ticks))).toBe(all)
  await call(simulator, 'POST', '/sim/rate', { ticks_per_s: all })
  while (open.some((socket) => socket.sent.ticks < 2 * INSTRUMENTS)) open = await sockets()
  expect(open).toHaveLength(USERS * SOCKETS)
  await simulator.stop()
})
