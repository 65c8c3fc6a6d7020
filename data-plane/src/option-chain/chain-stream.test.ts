import { beforeEach, describe, expect, it } from 'vitest'
import { fakeChainStream, fakeChains, NIFTY_CHAIN } from '../testing/fake-chains.ts'
import { type FakeClientSocket, fakeClientSocket } from '../testing/fake-client-socket.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import {
  CHAINS_PER_CLIENT_MAX,
  CHAINS_PER_OWNER_MAX,
  type ChainReader,
  type ChainStream,
} from './chain-stream.ts'
import type { ChainOutcome, OptionChains } from './option-chains.ts'

let clock: FakeClock
let reads: string[]
let outcome: ChainOutcome
let stream: ChainStream
let stop: AbortController

const wish = (underlying = 'NIFTY', every_s = 1) => ({ underlying, every_s })
interface Client extends ChainReader {
  socket: FakeClientSocket
}
const client = (owner = 'desk'): Client => ({ owner, socket: fakeClientSocket() })
const opsOf = ({ socket }: Client) => socket.messages().map(({ op }) => op)

function begin(chainsMax?: number) {
  clock = fakeClock()
  reads = []
  outcome = { ok: true, chain: NIFTY_CHAIN }
  const chains: OptionChains = {
    ...fakeChains,
    read(owner, { underlying }) {
      reads.push(`${owner} ${underlying}`)
      return underlying === 'NIFTY' ? outcome : fakeChains.read(owner, { underlying })
    },
  }
  stream = fakeChainStream(clock, chains, chainsMax)
  stop = new AbortController()
  void stream.run(stop.signal)
}
beforeEach(() => begin())

describe('the chains of stream clients', () => {
  it('come every so often, to whoever asks in the same words computed once, and no more when given up', async () => {
    const [first, second] = [client(), client()]
    const added = stream.add(first, wish())
    if (typeof added === 'string') throw new Error(added)
    added.begin()
    await clock.advance(100)
    expect(first.socket.messages()).toEqual([{ op: 'chain', chain_id: added.id, chain: NIFTY_CHAIN }])
    const same = stream.add(second, wish())
    if (typeof same === 'string') throw new Error(same)
    expect(same.id).toBe(added.id)
    same.begin()
    // What is known already comes at once.
    expect([opsOf(second), reads.length]).toEqual([['chain'], 1])
    await clock.advance(5_000)
    expect([opsOf(first).length, opsOf(second).length, reads.length]).toEqual([6, 6, 6])
    expect(stream.remove(first, added.id)).toBe(true)
    expect(stream.remove(first, added.id)).toBe(false)
    stream.removeAll(second)
    await clock.advance(5_000)
    expect([opsOf(first).length, reads.length]).toEqual([6, 6])
  })

  it('of another owner, interval or request are others', () => {
    const ids = [
      stream.add(client(), wish()),
      stream.add(client('another'), wish()),
      stream.add(client(), wish('NIFTY', 2)),
      stream.add(client(), { ...wish(), rate: 0.07 }),
    ].map((added) => (typeof added === 'string' ? added : added.id))
    expect(new Set(ids).size).toBe(4)
  })

  it('with its usual exchange, strikes, rate and yield said or not, is one', () => {
    const spelled = { ...wish(), exchange: 'NFO', strikes: 20, rate: 0.065, dividend_yield: 0 }
    const ids = [wish(), spelled].map((each) => stream.add(client(), each))
    expect(ids).toMatchObject([{ id: '1' }, { id: '1' }])
  })

  it('that are not there say why, once, and come by themselves', async () => {
    const reader = client()
    outcome = { ok: false, refusal: 'chain_not_streamed', detail: 'nothing is streamed' }
    stream.add(reader, wish())
    await clock.advance(3_000)
    expect(reader.socket.messages()).toEqual([
      {
        op: 'chain_unavailable',
        chain_id: '1',
        reason: 'chain_not_streamed',
        detail: 'nothing is streamed',
      },
    ])
    outcome = { ok: true, chain: NIFTY_CHAIN }
    await clock.advance(1_000)
    outcome = { ok: false, refusal: 'chain_not_streamed', detail: 'nothing is streamed' }
    await clock.advance(1_000)
    expect(opsOf(reader)).toEqual(['chain_unavailable', 'chain', 'chain_unavailable'])
  })

  it('a client that does not read misses some, and nothing piles up for it', async () => {
    const [slow, other] = [client(), client()]
    slow.socket.reading = false
    stream.add(slow, wish())
    stream.add(other, wish())
    slow.socket.send('x'.repeat(300_000))
    await clock.advance(3_000)
    expect([slow.socket.sent.length, opsOf(other).length]).toEqual([1, 3])
    // But for why there is none, which is said once.
    outcome = { ok: false, refusal: 'chain_not_streamed', detail: 'nothing is streamed' }
    await clock.advance(1_000)
    expect([slow.socket.sent.length, opsOf(other).length]).toEqual([2, 4])
    slow.socket.reading = true
    outcome = { ok: true, chain: NIFTY_CHAIN }
    await clock.advance(1_000)
    expect(slow.socket.sent.length).toBe(3)
  })

  it('are bounded by client, owner and process; what is held already is not counted again', () => {
    const reader = client()
    for (let at = 0; at < CHAINS_PER_CLIENT_MAX; at++) stream.add(reader, wish(`NAME${at}`))
    expect(stream.add(reader, wish('NAME0'))).toMatchObject({ id: '1' })
    expect(stream.add(reader, wish('MORE'))).toBe('client_limit')
    for (let at = CHAINS_PER_CLIENT_MAX; at < CHAINS_PER_OWNER_MAX; at++)
      stream.add(client(), wish(`NAME${at}`))
    expect(stream.add(client(), wish('MORE'))).toBe('owner_limit')
    expect(stream.add(client('another'), wish('MORE'))).toMatchObject({ id: expect.any(String) })
    begin(1)
    stream.add(client(), wish())
    expect(stream.add(client('another'), wish())).toBe('process_limit')
    expect(stream.add(client(), wish())).toMatchObject({ id: '1' })
  })
})
