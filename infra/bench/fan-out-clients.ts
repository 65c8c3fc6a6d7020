// The clients of `fan-out`, as a process: real sockets that read all they are sent, and look no further into it than
// the header, the count and the first stamp.
import { OFFSETS, PUBLISHED_HEADER_LENGTH } from '@ticker/shared/kite-wire'
import { BINARY_KINDS } from '../../data-plane/src/stream/formats.ts'
import { type ClientTask, clientTask } from './fan-out-child.ts'
import { agoMs, nowMs } from './fan-out-feed.ts'
import { type CheapSocket, openCheapSocket } from './fan-out-socket.ts'

/** Upgrades under way at a time. */
const CONNECTING_MAX = 256
const FIRST_PACKET = PUBLISHED_HEADER_LENGTH + 4
/** Of a published header: epoch milliseconds. */
const RECEIVED_AT = 24
const STAMP = Buffer.from('"volume_traded":')
const SEQ = Buffer.from('"seq_to":')

let sockets: CheapSocket[] = []
let stalled: CheapSocket | undefined
let random = 1
let [messages, ticks, bytes, connectedMs] = [0, 0, 0, 0]
let ages: number[] = []
let receivedAges: number[] = []
let arrivals: [number, number][] = []

function someOf(tokens: readonly number[], count: number): number[] {
  const chosen = new Set<number>()
  while (chosen.size < Math.min(count, tokens.length)) {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
    chosen.add(tokens[(random >>> 4) % tokens.length] ?? 0)
  }
  return [...chosen]
}

function numberAfter(data: Buffer, name: Buffer): number | undefined {
  const at = data.indexOf(name)
  return at < 0
    ? undefined
    : Number.parseInt(data.toString('latin1', at + name.length, at + name.length + 16), 10)
}

/** Whether it was ticks, or a snapshot after which nothing is pending. */
function note(head: Buffer, length: number, isBinary: boolean): boolean {
  const ms = nowMs()
  if (!isBinary) {
    const seq = numberAfter(head.subarray(0, 100), SEQ)
    if (seq === undefined) return head.includes('"pending":0')
    arrivals.push([seq, ms])
    const stamp = numberAfter(head, STAMP)
    if (stamp !== undefined) ages.push(agoMs(stamp, ms))
  } else {
    if (head.readUInt16BE(2) === BINARY_KINDS.snapshot) return head.readUInt32BE(4) === 0
    ticks += head.readUInt16BE(PUBLISHED_HEADER_LENGTH)
    arrivals.push([head.readUInt32BE(16) * 2 ** 32 + head.readUInt32BE(20), ms])
    receivedAges.push(Date.now() - head.readDoubleBE(RECEIVED_AT))
    ages.push(agoMs(head.readUInt32BE(FIRST_PACKET + OFFSETS.volumeTraded), ms))
  }
  messages += 1
  bytes += length
  return true
}

/** `ready`: it has its last snapshot, or ticks. */
function open(
  url: string,
  protocols: string[],
  ops: object[],
): { opened: Promise<CheapSocket>; ready: Promise<CheapSocket> } {
  const opened = Promise.withResolvers<CheapSocket>()
  const ready = Promise.withResolvers<CheapSocket>()
  const socket = openCheapSocket(new URL(url), protocols, {
    open() {
      for (const op of ops) socket.send(JSON.stringify(op))
      opened.resolve(socket)
    },
    message(head, length, isBinary) {
      if (note(head, length, isBinary)) ready.resolve(socket)
    },
    failed(reason) {
      opened.reject(new Error(reason))
      ready.reject(new Error(reason))
    },
  })
  return { opened: opened.promise, ready: ready.promise }
}

async function connect(task: Extract<ClientTask, { ask: 'connect' }>) {
  const startedMs = nowMs()
  const resume = task.resume ? [{ op: 'resume', ...task.resume }] : []
  let left = task.clients
  const ready: Promise<CheapSocket>[] = []
  const oneByOne = async () => {
    while (left > 0) {
      left -= 1
      const instruments = someOf(task.tokens, task.instruments)
      const subscribe = { ...task.subscribe, op: 'subscribe', instruments }
      const client = open(task.url, task.protocols, [...resume, subscribe])
      ready.push(client.ready)
      sockets.push(await client.opened)
    }
  }
  await Promise.all(Array.from({ length: CONNECTING_MAX }, oneByOne))
  await Promise.all(ready)
  connectedMs = nowMs() - startedMs
}

async function take(task: ClientTask) {
  if (task.ask === 'connect') await connect(task)
  else if (task.ask === 'stall') {
    const subscribe = { op: 'subscribe', instruments: someOf(task.tokens, task.instruments) }
    stalled = await open(task.url, task.protocols, [subscribe]).ready
    stalled.stall()
  } else if (task.ask === 'unstall') stalled?.close()
  else if (task.ask === 'disconnect') {
    for (const socket of sockets) socket.close()
    sockets = []
  } else {
    ;[messages, ticks, bytes, ages, receivedAges, arrivals] = [0, 0, 0, [], [], []]
    await new Promise((resolve) => setTimeout(resolve, task.ms))
  }
}

// Whoever asks is gone.
process.once('disconnect', () => process.exit())
process.on('message', async (message) => {
  await take(clientTask.parse(message))
  process.send?.({
    ...{ messages, ticks, bytes, arrivals },
    tick_ages_ms: ages,
    received_ages_ms: receivedAges,
    connected_ms: connectedMs,
  })
  ;[ages, receivedAges, arrivals] = [[], [], []]
})
