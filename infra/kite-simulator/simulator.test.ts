import { expect, it } from 'vitest'
import { CSV_HEADER } from './instruments/instrument-book.ts'
import { call, connected, startTestSimulator } from './testing/harness.ts'
import { tempFile } from './testing/temp-file.ts'

const PUT = 10929666

async function file(name: string, lines: string[]) {
  return tempFile(name, lines.join('\n'))
}

it('starts on real files by path: their instruments, their underlyings, their recording', async () => {
  const instruments = await file('nfo.csv', [
    CSV_HEADER,
    ...[24_900, 25_000, 25_100].map(
      (strike, index) =>
        `${(50_000 + index) * 256 + 2},${50_000 + index},NIFTY26DEC${strike}CE,"NIFTY",0,2026-12-29,${strike},0.05,65,CE,NFO-OPT,NFO`,
    ),
    '1234433,4822,UNHEARD OF,,0,,0,0.01,1,EQ,NSE,NSE',
    '1234689,4823,COSTLY,,0,,0,0.05,1,EQ,NSE,NSE',
    '1234945,4824,DEAR,,0,,0,1,1,EQ,NSE,NSE',
  ])
  const ticks = await file('ticks.csv', ['timestamp,token,ltp', `2025-10-09 10:00:00.5,${PUT},249.7`])
  const simulator = await startTestSimulator({
    instrumentFiles: [instruments],
    replay: { paths: [ticks], speed: 1, start: 'on_subscribe' },
  })
  expect(simulator.instruments).toBe(7)
  const keys = ['NFO:NIFTY26DEC25000CE', 'NSE:UNHEARD OF', 'NSE:COSTLY', 'NSE:DEAR', `${PUT}`]
  const quotes = await call(
    simulator,
    'GET',
    `/quote/ltp?${keys.map((key) => `i=${encodeURIComponent(key)}`).join('&')}`,
  )
  // The spot of an option whose index is not in the files is taken from the strikes, so it is near the money.
  const price = (key: string) => Number(Object(Object(quotes.data)[key]).last_price)
  expect(price('NFO:NIFTY26DEC25000CE')).toBeGreaterThan(200)
  expect(price('NFO:NIFTY26DEC25000CE')).toBeLessThan(2_000)
  expect(price('NSE:UNHEARD OF')).toBeLessThan(price('NSE:COSTLY'))
  expect(price('NSE:COSTLY')).toBeLessThan(price('NSE:DEAR'))
  expect(Object.keys(Object(quotes.data))).not.toContain(`${PUT}`)

  const client = await connected(simulator)
  client.send({ a: 'subscribe', v: [PUT] })
  await client.until((seen) => seen.ticks().length > 0)
  expect(client.ticks()).toMatchObject([{ instrument_token: PUT, last_price: 249.7 }])
  await simulator.stop()
})

it('does not start on files it cannot read, or on a port that is taken', async () => {
  const replay = { paths: ['/no/such/ticks.csv'], speed: 1, start: 'now' } as const
  await expect(startTestSimulator({ replay })).rejects.toThrow(/no such file/)
  await expect(startTestSimulator({ instrumentFiles: ['/no/such.csv'] })).rejects.toThrow(/no such file/)
  const first = await startTestSimulator()
  await expect(startTestSimulator({ port: first.port })).rejects.toThrow(/EADDRINUSE/)
  await first.stop()
})
