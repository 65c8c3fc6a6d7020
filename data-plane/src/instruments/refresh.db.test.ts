import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { gzipSync } from 'node:zlib'
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { Secret } from '@ticker/shared/crypto'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../operations/log.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import { readDump } from './dump-rows.ts'
import { createInstrumentRefresh, type RefreshDeps } from './refresh.ts'

const HEADER =
  'instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,segment,exchange'
const infy = '408065,1594,INFY,"INFOSYS",0,,0,0.05,1,EQ,NSE,NSE'
const mm = '519937,2031,M&M,MAHINDRA & MAHINDRA,0.0,,0.0,0.05,1.0,EQ,NSE,NSE'
const nifty = '256265,1001,NIFTY 50,NIFTY 50,0,,0,0,0,EQ,INDICES,NSE'
const option =
  '12683010,49543,HINDPETRO26SEP410.75PE,HINDPETRO,0.0,2031-09-29,410.75,0.05,2025,PE,NFO-OPT,NFO'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const csv = (rows: string[], eol = '\n') => [HEADER, ...rows, ''].join(eol)

async function parsed(text: string) {
  const rows = []
  for await (const row of readDump([Buffer.from(text)])) rows.push(row)
  return rows
}

describe('readDump', () => {
  it.each(['\n', '\r\n'])(
    'reads quoted and unquoted names, integers and floats, line end %j',
    async (eol) => {
      const rows = await parsed(csv([infy, mm, nifty, option], eol))
      expect(rows.map((row) => [row.tradingsymbol, row.name, row.strike, row.lot_size, row.expiry])).toEqual([
        ['INFY', 'INFOSYS', '0', 1, null],
        ['M&M', 'MAHINDRA & MAHINDRA', '0.0', 1, null],
        ['NIFTY 50', 'NIFTY 50', '0', 0, null],
        ['HINDPETRO26SEP410.75PE', 'HINDPETRO', '410.75', 2025, '2031-09-29'],
      ])
    },
  )

  it.each([
    ['<html>'],
    [csv(['408065,1594'])],
    [csv([infy.replace('408065', 'x')])],
    [csv([infy.replace(',1,EQ', ',-1,EQ')])],
  ])('refuses %j', async (text) => {
    await expect(parsed(text)).rejects.toThrow()
  })
})

describe('createInstrumentRefresh', () => {
  let database: TestDatabase
  let body = ''
  let status = 200
  let fetches = 0
  let stored = 0
  let root = ''
  const server = createServer((_, response) => {
    fetches += 1
    response.writeHead(status, { 'Content-Encoding': 'gzip', 'Content-Type': 'text/csv' })
    response.end(gzipSync(body))
  })

  beforeAll(async () => {
    database = await freshDatabase()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    root = `http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}`
  })
  afterAll(async () => {
    server.close()
    await database.drop()
  })

  const refresh = (fetched: typeof fetch = fetch, accounts: RefreshDeps['accounts'] = () => []) =>
    createInstrumentRefresh({
      pool: database.pool,
      root,
      fetch: fetched,
      clock: systemClock,
      log: silentLog,
      registry: new Registry(),
      accounts,
      onStored: () => {
        stored += 1
      },
    })
  const active = async () => {
    const { rows } = await database.pool.query<{ key: string }>(
      `select exchange || ':' || tradingsymbol || '=' || instrument_token as key from ticker.instruments where is_active order by 1`,
    )
    return rows.map((row) => row.key)
  }
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      infy.replace('408065', String(256 * (index + 10) + 1)).replace('INFY', `S${index}`),
    )

  it('loads once a day, then finds the dump of today and asks no more', async () => {
    body = csv([infy, mm, nifty, option])
    const controller = new AbortController()
    const running = createInstrumentRefresh({
      pool: database.pool,
      root,
      fetch,
      clock: systemClock,
      log: silentLog,
      registry: new Registry(),
      accounts: () => [],
      onStored: () => controller.abort(),
    }).run(controller.signal)
    await running
    expect(await active()).toEqual([
      'NFO:HINDPETRO26SEP410.75PE=12683010',
      'NSE:INFY=408065',
      'NSE:M&M=519937',
      'NSE:NIFTY 50=256265',
    ])
    const again = new AbortController()
    const second = refresh().run(again.signal)
    again.abort()
    await second
    expect(fetches).toBe(1)
  })

  it('sweeps what is gone and survives two symbols that swap tokens', async () => {
    body = csv([infy.replace('408065', '519937'), mm.replace('519937', '408065'), nifty, option])
    await refresh().refreshNow()
    expect(await active()).toContain('NSE:INFY=519937')
    body = csv([nifty, infy, mm, ...many(100), option])
    await refresh().refreshNow()
    body = csv([nifty, infy, ...many(90), option])
    await refresh().refreshNow()
    expect(await active()).not.toContain('NSE:M&M=519937')
  })

  it('keeps the last good dump when an exchange shrinks or is gone, when the file is cut or refused, unless forced', async () => {
    const before = await active()
    body = csv([nifty, infy, ...many(50), option])
    await expect(refresh().refreshNow()).rejects.toThrow(/NSE 92 → 52/)
    body = csv([nifty, infy, ...many(90)])
    await expect(refresh().refreshNow()).rejects.toThrow(/NFO 1 → 0/)
    body = csv([infy]).slice(0, -20)
    await expect(refresh().refreshNow()).rejects.toThrow()
    body = HEADER
    await expect(refresh().refreshNow()).rejects.toThrow(/empty/)
    status = 503
    await expect(refresh().refreshNow()).rejects.toThrow(/503/)
    status = 200
    expect(await active()).toEqual(before)
    body = csv([nifty, infy])
    expect((await refresh().refreshNow({ forceSha256: sha256(body) })).rowCount).toBe(2)
    expect(stored).toBeGreaterThan(0)
  })

  it('offers neither side of a contradiction, passes over a repeated row, and keeps the rest of the dump', async () => {
    const other = infy.replace('408065', '777')
    const sameToken = mm.replace('M&M', 'MM2')
    body = csv([nifty, nifty, infy, other, mm, sameToken, option])
    const outcome = await refresh().refreshNow({ forceSha256: sha256(body) })
    expect(outcome.ambiguous.sort()).toEqual(['NSE:INFY', 'NSE:M&M', 'NSE:MM2'])
    expect(await active()).toEqual(['NFO:HINDPETRO26SEP410.75PE=12683010', 'NSE:NIFTY 50=256265'])
  })

  it('has the whole file before it waits for the database: a server closes on a reader that stands still', async () => {
    const rows = many(20_000).map((row) => `${row}\n`)
    let offered = 0
    const busy = await database.pool.connect()
    await busy.query('begin; lock table ticker.instruments')
    const whole = Promise.withResolvers<void>()
    const file = new ReadableStream({
      pull(controller) {
        const chunk = offered === 0 ? `${HEADER}\n` : rows.slice(offered - 1, offered + 99).join('')
        offered += offered === 0 ? 1 : 100
        if (chunk !== '') return controller.enqueue(Buffer.from(chunk))
        controller.close()
        whole.resolve()
      },
    })
    const storing = refresh(async () => new Response(file)).refreshNow({
      forceSha256: sha256(`${HEADER}\n${rows.join('')}`),
    })
    await whole.promise
    await busy.query('commit')
    busy.release()
    expect((await storing).rowCount).toBe(20_000)
  })

  it('writes down what differs of contracts that have not expired: a lot, a strike, a tick, a symbol, a token, one that is gone', async () => {
    const contract = (token: number, symbol: string, more: string) =>
      `${token},${token >> 8},${symbol},"TCS",0,${more}`
    const lot = (symbol: string, lot: number, tick = '0.05') =>
      contract(900_098, symbol, `2031-09-30,410,${tick},${lot},PE,NFO-OPT,NFO`)
    const gone = contract(900_354, 'TCS31SEP420PE', '2031-09-30,420,0.05,175,PE,NFO-OPT,NFO')
    const expired = contract(900_610, 'TCS20SEP420PE', '2020-09-30,420,0.05,175,PE,NFO-OPT,NFO')
    const adjusted = (symbol: string, strike: string) =>
      contract(900_866, symbol, `2031-09-30,${strike},0.05,175,PE,NFO-OPT,NFO`)
    body = csv([infy, mm, nifty, lot('TCS31SEP410PE', 175), gone, expired, adjusted('TCS31SEP430PE', '430')])
    await refresh().refreshNow({ forceSha256: sha256(body) })
    await database.pool.query('delete from ticker.instrument_changes')
    const next = csv([
      infy.replace('408065', '408321'),
      mm,
      nifty,
      lot('TCS31SEP410PE', 225, '0.1'),
      adjusted('TCS31SEP410.75PE', '410.75'),
      // A reused token: of another underlying, it is another contract.
      gone.replace('TCS31SEP420PE,"TCS"', 'SBIN31SEP420PE,"SBIN"'),
    ])
    body = next
    const { changes } = await refresh().refreshNow({ forceSha256: sha256(body) })
    expect(changes).toEqual({
      ...{ gone: 1, instrument_token: 1, lot_size: 1, strike: 1, tick_size: 1, tradingsymbol: 1 },
    })
    const written = async () =>
      (
        await database.pool.query(
          `select tradingsymbol || ' ' || change || ' ' || coalesce(before || ' → ' || after, '') as t
           from ticker.instrument_changes`,
        )
      ).rows
        .map(({ t }) => t)
        .sort()
    const all = [
      'INFY instrument_token 408065 → 408321',
      'TCS31SEP410PE lot_size 175 → 225',
      'TCS31SEP410PE tick_size 0.05 → 0.1',
      'TCS31SEP420PE gone ',
      'TCS31SEP430PE strike 430 → 410.75',
      'TCS31SEP430PE tradingsymbol TCS31SEP430PE → TCS31SEP410.75PE',
    ]
    expect(await written()).toEqual(all)
    // The same dump again, and one that is refused, change nothing, and nobody reads the registry anew.
    const version = () => database.pool.query('select instruments_version from ticker.fleet')
    const before = (await version()).rows
    expect((await refresh().refreshNow()).changes).toEqual({})
    expect((await version()).rows).toEqual(before)
    body = csv([infy])
    await expect(refresh().refreshNow()).rejects.toThrow(/NFO/)
    expect(await written()).toEqual(all)
  })

  it('of an underlying that was renamed, the contracts are renamed, not gone', async () => {
    const row = (token: number, symbol: string, name: string, more: string) =>
      `${token},${token >> 8},${symbol},${name},0,${more}`
    const listed = (name: string, lot: number) => [
      row(884_737, name, name, ',0,0.05,1,EQ,NSE,NSE'),
      row(901_122, `${name}31SEPFUT`, name, `2031-09-30,0,0.05,${lot},FUT,NFO-FUT,NFO`),
      row(901_378, `${name}31SEP700CE`, name, `2031-09-30,700,0.05,${lot},CE,NFO-OPT,NFO`),
    ]
    body = csv([infy, nifty, ...listed('TATAMOTORS', 800)])
    await refresh().refreshNow({ forceSha256: sha256(body) })
    body = csv([infy, nifty, ...listed('TMPV', 750)])
    const { changes } = await refresh().refreshNow({ forceSha256: sha256(body) })
    expect(changes).toEqual({ tradingsymbol: 3, lot_size: 2 })
  })

  describe('a refresh that was asked for', () => {
    const ask = (id: string, forceSha256: string | null, age = '0 minutes') =>
      database.pool.query(
        `insert into ticker.instrument_refreshes (id, force_sha256, requested_by, requested_at)
         values ($1, $2, 'key_1', now() - $3::interval)`,
        [id, forceSha256, age],
      )
    const outcome = async (id: string) => {
      const { rows } = await database.pool.query(
        `select state, reason, row_count, refused_sha256, finished_at is not null as finished
         from ticker.instrument_refreshes where id = $1`,
        [id],
      )
      return rows[0]
    }
    /** Runs the loop until that one is finished. */
    async function served(id: string, fetched: typeof fetch = fetch, accounts?: RefreshDeps['accounts']) {
      const controller = new AbortController()
      const asked = refresh(fetched, accounts)
      const running = asked.run(controller.signal)
      await vi.waitFor(async () => {
        asked.wake()
        expect(await outcome(id)).toMatchObject({ finished: true })
      }, 10_000)
      controller.abort()
      await running
      return outcome(id)
    }

    it('stores the dump though one of today is there; says why not; forced, that very dump and no other', async () => {
      body = csv([nifty, infy, ...many(90), option])
      await ask('ref_1', sha256(body))
      expect(await served('ref_1')).toMatchObject({ state: 'stored', row_count: 93, reason: null })
      body = csv([nifty, infy, option])
      await ask('ref_2', null)
      const refused = await served('ref_2')
      expect(refused).toMatchObject({
        state: 'failed',
        reason: expect.stringContaining('NSE 92 → 2'),
        refused_sha256: sha256(body),
      })
      const [looked, another] = [body, csv([nifty, option])]
      body = another
      await ask('ref_3', refused.refused_sha256)
      expect(await served('ref_3')).toMatchObject({ state: 'failed', refused_sha256: sha256(another) })
      body = looked
      await ask('ref_33', refused.refused_sha256)
      expect(await served('ref_33')).toMatchObject({ state: 'stored', row_count: 3, refused_sha256: null })
    })

    it('made forceful while it is under way, is done again with force', async () => {
      body = csv([infy, mm, nifty, option])
      await ask('ref_a', sha256(body))
      await served('ref_a')
      body = csv([infy, option])
      await ask('ref_b', null)
      const forcedMeanwhile = async (url: Parameters<typeof fetch>[0], init?: RequestInit) => {
        await database.pool.query(
          "update ticker.instrument_refreshes set force_sha256 = $1 where id = 'ref_b'",
          [sha256(body)],
        )
        return fetch(url, init)
      }
      expect(await served('ref_b', forcedMeanwhile)).toMatchObject({ state: 'stored', row_count: 2 })
    })

    it('fails in our words when the broker does not answer, and asks no second time', async () => {
      const before = fetches
      status = 503
      await ask('ref_4', null)
      expect(await served('ref_4')).toMatchObject({ state: 'failed', reason: 'the broker answered 503' })
      expect(fetches).toBe(before + 1)
      status = 200
    })

    it('is tried at once with the next account when one gets nothing; the one that failed is passed over', async () => {
      body = csv([infy, option])
      await ask('ref_c', sha256(body))
      const tried: string[] = []
      const account = (accountId: string) => ({
        accountId,
        credentials: { api_key: accountId, access_token: new Secret('token') },
      })
      const fetched = async (url: Parameters<typeof fetch>[0], init?: RequestInit) => {
        const app = new Headers(init?.headers).get('authorization')?.match(/^token (\w+):/)?.[1] ?? ''
        tried.push(app)
        if (app === 'first') return new Response('', { status: 403 })
        return fetch(url, init)
      }
      const accounts = () => [account('first'), account('second')]
      expect(await served('ref_c', fetched, accounts)).toMatchObject({ state: 'stored', row_count: 2 })
      expect(tried).toEqual(['first', 'second'])
    })

    it('that nobody took in time is not done later', async () => {
      const before = fetches
      await ask('ref_5', null, '11 minutes')
      expect(await served('ref_5')).toMatchObject({
        state: 'failed',
        reason: expect.stringContaining('ask again'),
      })
      expect(fetches).toBe(before)
    })
  })

  it('says so when the dump of today is overdue', async () => {
    const clock = fakeClock()
    await database.pool.query(
      "insert into ticker.instrument_snapshots (row_count, sha256, fetched_at) values (1, '', now() - interval '3 days')",
    )
    const controller = new AbortController()
    status = 503
    const watched = createInstrumentRefresh({
      pool: database.pool,
      root,
      fetch,
      clock,
      log: silentLog,
      registry: new Registry(),
      accounts: () => [],
      onStored: () => {},
    })
    const running = watched.run(controller.signal)
    expect(watched.unfit()).toBeUndefined()
    await vi.waitFor(async () => {
      await clock.advance(600_000)
      expect(watched.unfit()).toContain('the broker answered 503')
    })
    controller.abort()
    await running
    status = 200
  })
})
