import { expect, it } from 'vitest'
import { readConfig } from './config.ts'

const key = Buffer.alloc(32, 7).toString('base64')
const complete = {
  REALM: 'sim',
  DATABASE_DIRECT_URL: 'postgres://u:p@db/ticker',
  COMMAND_REDIS_URL: 'redis://r:6379',
  CREDENTIAL_KEYS: `k1:${key}`,
  TICKET_KEYS: `k1:${key}`,
}

it('fills defaults, and takes an empty variable for one that is not set', () => {
  const config = readConfig({ ...complete, TICK_REDIS_URL: '', JSON_TICKS: '' })
  expect(config).toMatchObject({
    tickRedisUrl: undefined,
    kiteSocketRoot: 'wss://ws.kite.trade',
    streamPort: 8080,
    opsPort: 9090,
  })
  expect(config.jsonTicks).toEqual(new Set())
  expect(readConfig({ ...complete, JSON_TICKS: '1,2' }).jsonTicks).toEqual(new Set([1, 2]))
  expect(readConfig({ ...complete, JSON_TICKS: 'all' }).jsonTicks).toBe('all')
})

it('reads the rate and yield of options by underlying, and says how they are spelled', () => {
  const terms = readConfig({
    ...complete,
    OPTION_TERMS: '{"*":{"rate":0.06},"NIFTY":{"dividend_yield":0.01}}',
  })
  expect([...terms.optionTerms]).toEqual([
    ['*', { rate: 0.06, dividendYield: undefined }],
    ['NIFTY', { rate: undefined, dividendYield: 0.01 }],
  ])
  for (const wrong of ['6.5', '{"NIFTY":{"rate":6.5}}', '{"NIFTY":{"rates":0.065}}', '{'])
    expect(() => readConfig({ ...complete, OPTION_TERMS: wrong })).toThrow(/OPTION_TERMS must be JSON as/)
})

it('names every problem at once and says what to set, without repeating a secret', () => {
  const planted = 'PLANTED-secret'
  const read = () => readConfig({ REALM: 'prod', CREDENTIAL_KEYS: planted, STREAM_PORT: 'x' })
  expect(read).toThrow(/REALM .*"live" or "sim"[\s\S]*DATABASE_DIRECT_URL is not set[\s\S]*STREAM_PORT/)
  expect(read).not.toThrow(planted)
  expect(() => readConfig({ ...complete, CREDENTIAL_KEYS: planted })).toThrow(
    /CREDENTIAL_KEYS must be "id:base64"/,
  )
  expect(() => readConfig({ ...complete, CREDENTIAL_KEYS: planted })).not.toThrow(planted)
})

it('refuses a live realm that points at anything but the broker', () => {
  expect(() => readConfig({ ...complete, REALM: 'live', KITE_API_ROOT: 'http://127.0.0.1:8100' })).toThrow(
    /KITE_API_ROOT of a live realm/,
  )
  expect(() => readConfig({ ...complete, REALM: 'live', KITE_WS_ROOT: 'ws://ws.kite.trade' })).toThrow(
    /KITE_WS_ROOT of a live realm/,
  )
  expect(readConfig({ ...complete, REALM: 'live' }).realm).toBe('live')
})

it('refuses a paper broker that is the broker', () => {
  expect(() => readConfig({ ...complete, PAPER_API_ROOT: 'https://api.kite.trade' })).toThrow(
    /paper orders would be real/,
  )
  expect(readConfig({ ...complete, PAPER_API_ROOT: 'http://paper:8100/' }).paperApiRoot).toBe(
    'http://paper:8100',
  )
})
