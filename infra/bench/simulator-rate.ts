// How much the simulator can send: 15 sockets × 3,000 instruments in full mode to a bare receiver in this process,
// which counts packets and decodes nothing. Its own CPU must stay below one core, or it would be the bottleneck.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { ROOT } from '../local/child.ts'
import { median, type Row, rounded } from './measure.ts'

const ACCOUNTS = 5
const SOCKETS_PER_ACCOUNT = 3
const INSTRUMENTS_PER_SOCKET = 3_000
const RATES = [90_000, 750_000, 3_000_000]
const WARM_UP_MS = 1_000
const ROUNDS = 3
const ROUND_MS = 2_000

const count = z.number()
const state = z.object({
  data: z.object({
    process: z.object({ cpu_ms: count }),
    rate: z.object({
      sent: z.object({ ticks: count }),
      backpressure_skipped_ticks: count,
      late_ticks: count,
    }),
  }),
})
const ready = z.object({ url: z.string(), ws_url: z.string() })

export async function simulatorRate(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'ticker-bench-'))
  const users = Array.from({ length: ACCOUNTS }, (_, index) => ({
    user_id: `U${index}`,
    api_key: `key${index}`,
    api_secret: 'secret',
    access_token: `token-of-${index}`,
  }))
  await writeFile(join(folder, 'users.json'), JSON.stringify(users))
  const main = join(ROOT, 'infra/kite-simulator/main.ts')
  const args = ['--port', '0', '--users-file', join(folder, 'users.json')]
  const more = ['--instruments-count', '100000', '--ticks-per-second', '0']
  const child = spawn(process.execPath, [main, ...args, ...more], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const { url, ws_url } = ready.parse(JSON.parse((await lines.next()).value ?? ''))
    const received = await receive(url, ws_url, users)
    const rows: Row[] = []
    for (const rate of RATES) rows.push(...(await measure(url, rate, received)))
    received.close()
    return rows
  } finally {
    child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}

type Receiver = { ticks: number; close(): void }

/** Resolves when every socket has the last tick of each of its instruments, and counts from zero then. */
async function receive(
  url: string,
  wsUrl: string,
  users: readonly { api_key: string; access_token: string }[],
): Promise<Receiver> {
  const dump = (await (await fetch(`${url}/instruments/NFO`)).text()).split('\n').slice(1)
  const tokens = dump.map((line) => Number(line.slice(0, line.indexOf(','))))
  const sockets: WebSocket[] = []
  const receiver: Receiver = {
    ticks: 0,
    close: () => {
      for (const socket of sockets) socket.terminate()
    },
  }
  const wanted = ACCOUNTS * SOCKETS_PER_ACCOUNT * INSTRUMENTS_PER_SOCKET
  const complete = Promise.withResolvers<void>()
  for (const user of users) {
    for (let number = 0; number < SOCKETS_PER_ACCOUNT; number++) {
      const socket = new WebSocket(`${wsUrl}?api_key=${user.api_key}&access_token=${user.access_token}`)
      const first = sockets.length * INSTRUMENTS_PER_SOCKET
      sockets.push(socket)
      socket.on('open', () => {
        const mine = tokens.slice(first, first + INSTRUMENTS_PER_SOCKET)
        socket.send(JSON.stringify({ a: 'mode', v: ['full', mine] }))
      })
      socket.on('message', (frame) => {
        if (!Buffer.isBuffer(frame) || frame.length < 2) return
        receiver.ticks += frame.readUInt16BE(0)
        if (receiver.ticks === wanted) complete.resolve()
      })
      socket.on('error', complete.reject)
    }
  }
  await complete.promise
  receiver.ticks = 0
  return receiver
}

async function measure(url: string, rate: number, receiver: Receiver): Promise<Row[]> {
  await fetch(`${url}/sim/rate`, { method: 'POST', body: JSON.stringify({ ticks_per_s: rate }) })
  await sleep(WARM_UP_MS)
  const sentPerSecond: number[] = []
  const receivedPerSecond: number[] = []
  const simulatorCores: number[] = []
  const receiverCores: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = await sample(url, receiver)
    await sleep(ROUND_MS)
    const after = await sample(url, receiver)
    const seconds = (after.atMs - before.atMs) / 1000
    sentPerSecond.push((after.sent - before.sent) / seconds)
    receivedPerSecond.push((after.received - before.received) / seconds)
    simulatorCores.push((after.simulatorMs - before.simulatorMs) / 1000 / seconds)
    receiverCores.push((after.receiverMs - before.receiverMs) / 1000 / seconds)
  }
  const { rate: load } = await readState(url)
  await fetch(`${url}/sim/rate`, { method: 'DELETE' })
  const percent = (cores: readonly number[]) => `${(median(cores) * 100).toFixed(0)} %`
  const asked = `simulator asked for ${rounded(rate)} full ticks/s`
  const target = rate === 750_000
  return [
    {
      what: `${asked}: sent / received`,
      value: `${rounded(median(sentPerSecond))} / ${rounded(median(receivedPerSecond))}`,
      target: target ? '≥ 700,000' : '',
    },
    {
      what: `${asked}: CPU of the simulator / of the bare receiver, of a core`,
      value: `${percent(simulatorCores)} / ${percent(receiverCores)}`,
      target: target ? '< 100 %' : '',
    },
    {
      what: `${asked}: ticks skipped for a slow receiver / late`,
      value: `${rounded(load.backpressure_skipped_ticks)} / ${rounded(load.late_ticks)}`,
      target: '',
    },
  ]
}

async function sample(url: string, receiver: Receiver) {
  const { process: simulator, rate } = await readState(url)
  const { user, system } = process.cpuUsage()
  return {
    atMs: performance.now(),
    sent: rate.sent.ticks,
    received: receiver.ticks,
    simulatorMs: simulator.cpu_ms,
    receiverMs: (user + system) / 1000,
  }
}

async function readState(url: string) {
  return state.parse(await (await fetch(`${url}/sim/state`)).json()).data
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
