// What is lost when instruments change their socket, and that it is said: once, and only then.
import type { Mode } from '@ticker/shared/kite-wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { fakePool, quotes } from '../testing/fake-pool.ts'
import { brokerSession, ownedAccount } from '../testing/owned-accounts.ts'
import { HANDOVER_MAX_MS, OVERLAP_MS } from './handover.ts'

let broker: ReturnType<typeof fakePool>

const limited = (maxInstrumentsPerConnection: number, maxConnections = 3) =>
  ownedAccount('desk1', { maxInstrumentsPerConnection, maxConnections })
const [desk1, desk2] = [ownedAccount('desk1'), ownedAccount('desk2')]
const out = (account: typeof desk1) => ({ ...account, session: undefined })
const frames = (at: number) => broker.sockets[at]?.sent ?? []

beforeEach(() => {
  broker = fakePool()
})

describe('limits are changed while everything streams', () => {
  beforeEach(async () => {
    broker.pool.setAccounts([limited(10)])
    broker.pool.setTargets(new Map([['desk1', quotes(1, 10)]]))
    await broker.openAll()
  })

  it('a lower one moves the excess alone, subscribed there before it is given up here: no reconnect, no gap', async () => {
    broker.pool.setAccounts([limited(6)])
    await broker.clock.advance(0)
    expect(broker.sockets).toHaveLength(2)
    expect(broker.sockets[0]?.terminated).toBe(false)
    expect(frames(0)).toHaveLength(1)
    await broker.pass(3_000)
    expect(broker.pool.serving(10)).toBe('live')
    await broker.openAll()
    expect(frames(1)).toEqual([{ a: 'subscribe', v: [7, 8, 9, 10] }])
    await broker.pass(OVERLAP_MS * 2)
    expect(frames(0).slice(1)).toEqual([{ a: 'unsubscribe', v: [7, 8, 9, 10] }])
    expect(broker.pool.status()[0]?.connections).toMatchObject([{ instruments: 6 }, { instruments: 4 }])
    expect(broker.events).toEqual([])
  })

  it('fewer connections: the last one is closed after the others bring what it carried', async () => {
    broker.pool.setAccounts([limited(6)])
    await broker.openAll()
    await broker.pass(3_000)
    broker.pool.setAccounts([limited(10, 1)])
    expect(frames(0).at(-1)).toEqual({ a: 'subscribe', v: [7, 8, 9, 10] })
    expect(broker.living()).toHaveLength(2)
    await broker.pass(OVERLAP_MS * 2)
    expect(broker.living()).toHaveLength(1)
    expect(broker.events).toEqual([])
  })

  it('a higher one moves nothing and sends nothing', async () => {
    broker.pool.setAccounts([limited(20)])
    await broker.pass(3_000)
    expect(broker.sockets).toHaveLength(1)
    expect(frames(0)).toHaveLength(1)
  })

  it('what fits nowhere is given up, and missing when there is room again', async () => {
    broker.pool.setAccounts([limited(8, 1)])
    expect(frames(0).at(-1)).toEqual({ a: 'unsubscribe', v: [9, 10] })
    broker.pool.setAccounts([limited(10)])
    expect(broker.events).toEqual(['gap desk1 9,10'])
  })

  it('a socket that does not open is not waited for longer than its time, and what it was to bring is missing', async () => {
    broker.pool.setAccounts([limited(6)])
    await broker.pass(HANDOVER_MAX_MS - 1_000)
    expect(frames(0)).toHaveLength(1)
    await broker.pass(3_000)
    expect(frames(0).at(-1)).toEqual({ a: 'unsubscribe', v: [7, 8, 9, 10] })
    await broker.openAll()
    expect(broker.events).toEqual(['gap desk1 7,8,9,10'])
  })
})

describe('instruments move between accounts', () => {
  beforeEach(async () => {
    broker.pool.setAccounts([desk1, desk2])
    broker.pool.setTargets(
      new Map([
        ['desk1', quotes(1, 5)],
        ['desk2', quotes(6, 5)],
      ]),
    )
    await broker.openAll()
  })

  it('after the socket of one was lost: a gap, of what moved, by the account that serves it then', async () => {
    broker.sockets[1]?.events.closed('close 1006')
    expect(broker.events).toEqual([])
    broker.pool.setTargets(new Map([['desk1', quotes(1, 10)]]))
    expect(broker.events).toEqual(['gap desk1 6,7,8,9,10'])
    broker.pool.setAccounts([desk1, out(desk2)])
    await broker.pass(5_000)
    expect(broker.events).toHaveLength(1)
  })

  it('after one was logged out, whoever hears of it first: what moved is missing, or never was', async () => {
    broker.pool.setAccounts([desk1, out(desk2)])
    expect(broker.living()).toHaveLength(1)
    broker.pool.setTargets(new Map([['desk1', quotes(1, 10)]]))
    expect(broker.events).toEqual(['gap desk1 6,7,8,9,10'])

    broker = fakePool()
    broker.pool.setAccounts([desk1, desk2])
    broker.pool.setTargets(new Map([['desk2', quotes(6, 5)]]))
    await broker.openAll()
    broker.pool.setTargets(new Map([['desk1', quotes(6, 5)]]))
    broker.pool.setAccounts([desk1, out(desk2)])
    expect([broker.events, broker.had.size]).toEqual([[], 0])
  })

  it('back to one that logged in again, before or after its login is known here: nothing is lost', async () => {
    broker.pool.setAccounts([desk1, out(desk2)])
    broker.pool.setTargets(new Map([['desk1', quotes(1, 10)]]))
    broker.events.length = 0
    broker.pool.setTargets(
      new Map([
        ['desk1', quotes(1, 5)],
        ['desk2', quotes(6, 5)],
      ]),
    )
    await broker.pass(1_000)
    broker.pool.setAccounts([desk1, { ...desk2, session: brokerSession(2) }])
    await broker.pass(1_000)
    expect(broker.pool.serving(6)).toBe('live')
    await broker.openAll()
    await broker.pass(3_000)
    expect(frames(0).at(-1)).toEqual({ a: 'unsubscribe', v: [6, 7, 8, 9, 10] })
    expect(broker.events).toEqual(['updates lost desk2'])
  })

  it('where there is no room for both: a gap of exactly what moved', async () => {
    broker = fakePool()
    broker.pool.setAccounts([limited(5, 1), desk2])
    broker.pool.setTargets(new Map([['desk1', quotes(1, 5)]]))
    await broker.openAll()
    broker.pool.setTargets(
      new Map([
        ['desk1', quotes(3, 5)],
        ['desk2', quotes(1, 2)],
      ]),
    )
    expect(broker.events).toEqual(['gap desk2 1,2'])
  })

  it('what is given up on the way is not held for anybody', async () => {
    broker.pool.setAccounts([desk1, out(desk2)])
    broker.pool.setTargets(new Map([['desk1', quotes(1, 10)]]))
    broker.pool.setTargets(new Map([['desk2', quotes(6, 5)]]))
    broker.want((token) => (token === 7 ? undefined : 'quote'))
    broker.pool.setTargets(new Map([['desk2', new Map([...quotes(6, 5)].filter(([token]) => token !== 7))]]))
    expect(frames(0).at(-1)).toEqual({ a: 'unsubscribe', v: [7] })
  })
})

describe('a session ends and another begins', () => {
  it('on the only account: the gap comes when it is over, with the order updates', async () => {
    broker.pool.setAccounts([desk1])
    broker.pool.setTargets(new Map([['desk1', quotes(1, 3)]]))
    await broker.openAll()
    expect(broker.events).toEqual([])
    broker.pool.setAccounts([out(desk1)])
    broker.pool.setTargets(new Map())
    await broker.pass(5_000)
    broker.pool.setTargets(new Map([['desk1', quotes(1, 3)]]))
    broker.pool.setAccounts([{ ...desk1, session: brokerSession(2) }])
    await broker.openAll()
    expect(broker.events).toEqual(['updates lost desk1', 'gap desk1 1,2,3'])
    await broker.pass(5_000)
    expect(broker.events).toHaveLength(2)
  })

  it('order updates are lost without any instrument too, but not while another socket of the account was open', async () => {
    broker.pool.setAccounts([limited(10)])
    await broker.openAll()
    broker.pool.setTargets(new Map([['desk1', quotes(1, 12)]]))
    await broker.openAll()
    broker.pool.setTargets(new Map())
    expect(broker.living()).toHaveLength(1)
    broker.pool.setTargets(new Map([['desk1', quotes(1, 12)]]))
    await broker.openAll()
    expect(broker.events.filter((text) => text.startsWith('updates'))).toEqual([])
    broker.pool.setTargets(new Map())
    broker.pool.setAccounts([out(desk1)])
    broker.pool.setAccounts([{ ...desk1, session: brokerSession(2) }])
    await broker.openAll()
    expect(broker.events.at(-1)).toBe('updates lost desk1')
  })

  it('order updates are lost while the account is disabled, and are said to be once', async () => {
    broker.pool.setAccounts([desk1])
    await broker.openAll()
    broker.pool.setAccounts([])
    for (const version of [1, 2]) {
      broker.pool.setAccounts([{ ...desk1, session: brokerSession(version) }])
      await broker.openAll()
      expect(broker.events.splice(0)).toEqual(['updates lost desk1'])
    }
  })

  it('nothing is missing of what nobody wanted meanwhile', async () => {
    broker.pool.setAccounts([desk1])
    broker.pool.setTargets(new Map([['desk1', quotes(1, 3)]]))
    await broker.openAll()
    broker.sockets[0]?.events.closed('close 1006')
    broker.want((token) => (token === 3 ? 'quote' : undefined))
    broker.pool.setTargets(new Map([['desk1', quotes(3, 1)]]))
    broker.want(() => 'quote')
    broker.pool.setTargets(new Map([['desk1', quotes(1, 3)]]))
    await broker.clock.advance(2_000)
    await broker.openAll()
    expect(broker.events).toEqual(['updates lost desk1', 'gap desk1 3'])
  })
})

describe('a mode is given up', () => {
  const gaps = () => broker.events.filter((text) => text.startsWith('gap'))
  const wants = (modes: Record<string, Mode>, highest: Mode) => {
    broker.want(() => highest)
    broker.pool.setTargets(new Map(Object.entries(modes).map(([id, mode]) => [id, quotes(1, 1, mode)])))
  }

  it('while the socket is down: the loss is said once, not at each mode that is asked for later', async () => {
    broker.pool.setAccounts([desk1])
    wants({ desk1: 'full' }, 'full')
    await broker.openAll()
    broker.sockets[0]?.events.closed('close 1006')
    wants({ desk1: 'ltp' }, 'ltp')
    await broker.clock.advance(2_000)
    await broker.openAll()
    wants({ desk1: 'quote' }, 'quote')
    wants({ desk1: 'full' }, 'full')
    expect(gaps()).toEqual(['gap desk1 1'])
  })

  it('by one account, of what another streams in a lower one: nothing is lost', async () => {
    broker.pool.setAccounts([desk1, desk2])
    wants({ desk1: 'full', desk2: 'ltp' }, 'full')
    await broker.openAll()
    wants({ desk2: 'ltp' }, 'ltp')
    await broker.pass(OVERLAP_MS * 2)
    wants({ desk2: 'quote' }, 'quote')
    expect(gaps()).toEqual([])
  })
})

describe('an instrument that two accounts stream', () => {
  const modes = async (mine: Mode, theirs: Mode) => {
    broker.pool.setAccounts([desk1, desk2])
    broker.pool.setTargets(
      new Map([
        ['desk1', quotes(1, 1, mine)],
        ['desk2', quotes(1, 1, theirs)],
      ]),
    )
    await broker.openAll()
    broker.sockets[0]?.events.closed('close 1006')
    await broker.clock.advance(2_000)
    await broker.openAll()
    return broker.events.filter((text) => text.startsWith('gap'))
  }

  it('has lost nothing while the other one brings it', async () => {
    expect(await modes('quote', 'full')).toEqual([])
  })

  it('has lost what the other one does not bring', async () => {
    expect(await modes('full', 'quote')).toEqual(['gap desk1 1'])
  })
})
