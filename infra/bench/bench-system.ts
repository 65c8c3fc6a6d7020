// The whole local system as `ingest`, `growth` and `soak` load it: a simulator with 100,000 instruments that ticks
// nothing until it is told how much, accounts and subscriptions made through the API. The data plane is the bundle that
// ships: as source it holds more memory.
import { z } from 'zod'
import { bundleDataPlane } from '../docker/bundle.ts'
import { ApiClient, createLocalApiKey, instrumentsLoaded, logIn, until } from '../local/seed.ts'
import type { LocalSystem } from '../local/system.ts'
import { startTemporarySystem } from '../local/temporary-system.ts'
import { readDataPlaneCounts } from './data-plane-counts.ts'

/** Who owns the accounts, the subscriptions and the clients. */
export const BENCH_OWNER = 'bench'
/** What three sockets of one account hold. */
export const INSTRUMENTS_PER_ACCOUNT = 9_000

export interface BenchSystem {
  system: LocalSystem
  api: ApiClient
}

export interface BenchUser {
  user_id: string
  api_key: string
  api_secret: string
}

export async function withBenchSystem<T>(
  work: (bench: BenchSystem) => Promise<T>,
  instruments = 100_000,
): Promise<T> {
  const { main } = await bundleDataPlane()
  const { system, stop } = await startTemporarySystem(
    `--no-rate-limits --no-delays --instruments-count ${instruments} --ticks-per-second 0`.split(' '),
    { dataPlaneMain: main },
  )
  try {
    const key = await createLocalApiKey(system.databaseUrl, BENCH_OWNER, 'bench')
    return await work({ system, api: new ApiClient(system.controlPlaneUrl, key) })
  } finally {
    await stop()
  }
}

/** Tokens of the first derivatives of the simulator's dump. */
export async function derivatives({ system }: BenchSystem, count: number): Promise<number[]> {
  const dump = (await (await fetch(`${system.simulatorUrl}/instruments/NFO`)).text()).split('\n').slice(1)
  return dump.map((line) => Number(line.slice(0, line.indexOf(',')))).slice(0, count)
}

/** Broker users `from` to `to`, as the simulator knows them. */
export async function addUsers({ system }: BenchSystem, from: number, to: number): Promise<BenchUser[]> {
  const users = Array.from({ length: to - from }, (_, index) => ({
    user_id: `BN${1000 + from + index}`,
    api_key: `benchkey${from + index}`,
    api_secret: `benchsecret${from + index}`,
    redirect_url: `${system.controlPlaneUrl}/kite/callback`,
  }))
  for (const user of users)
    await fetch(`${system.simulatorUrl}/sim/users`, { method: 'POST', body: JSON.stringify(user) })
  return users
}

/** An account of each user, logged in; the first of all brings the instruments. */
export async function addAccounts({ api }: BenchSystem, users: readonly BenchUser[]) {
  for (const { user_id, api_key, api_secret } of users) {
    const id = user_id.toLowerCase()
    await api.call(z.unknown(), 'POST', '/v1/accounts', { id, api_key, api_secret })
    await logIn(api, id, user_id)
  }
  await instrumentsLoaded(api)
}

/** In full mode. */
export async function subscribe({ api }: BenchSystem, tokens: readonly number[]) {
  for (let start = 0; start < tokens.length; start += INSTRUMENTS_PER_ACCOUNT)
    await api.call(z.unknown(), 'PUT', '/v1/subscriptions', {
      instruments: tokens.slice(start, start + INSTRUMENTS_PER_ACCOUNT),
      mode: 'full',
    })
}

/** Each instrument has come once since the data plane started. */
export async function allTicked({ system }: BenchSystem, instruments: number) {
  const received = async () => (await readDataPlaneCounts(system.opsUrl)).received
  await until('all instruments have ticked', async () => (await received()) >= instruments, 60_000)
}

/** Evenly over all subscribed instruments. */
export async function setTickRate({ system }: BenchSystem, ticksPerS: number) {
  const rate = { method: 'POST', body: JSON.stringify({ ticks_per_s: ticksPerS }) }
  await fetch(`${system.simulatorUrl}/sim/rate`, ticksPerS > 0 ? rate : { method: 'DELETE' })
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
