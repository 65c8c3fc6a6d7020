import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const KEY = `k1:${btoa('x'.repeat(32))}`
const good = {
  REALM: 'sim',
  DATABASE_URL: 'postgres://user:hush@db/ticker',
  UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1',
  UPSTASH_REDIS_REST_TOKEN: 'token',
  CREDENTIAL_KEYS: KEY,
  TICKET_KEYS: KEY,
}

test('reads a full environment; the broker is the default', () => {
  expect(
    readConfig({ ...good, PUBLIC_URL: 'https://x.example.com/path', KITE_API_ROOT: 'http://sim/' }),
  ).toMatchObject({
    realm: 'sim',
    kiteApiRoot: 'http://sim',
    publicUrl: 'https://x.example.com',
  })
  expect(readConfig(good)).toMatchObject({
    kiteApiRoot: 'https://api.kite.trade',
    kiteLoginRoot: 'https://kite.zerodha.com/connect/login',
    publicUrl: undefined,
  })
})

test('says everything that is wrong at once, and what to set', () => {
  expect(() => readConfig({ ...good, REALM: 'prod', DATABASE_URL: undefined, TICKET_KEYS: '' })).toThrow(
    /REALM must be "live" or "sim"; DATABASE_URL is not set: .*; TICKET_KEYS is empty/,
  )
  expect(() => readConfig({ ...good, CREDENTIAL_KEYS: 'k1:short' })).toThrow(/CREDENTIAL_KEYS must be/)
})

test('a live deployment refuses anything but the broker', () => {
  const live = { ...good, REALM: 'live' }
  expect(readConfig(live).realm).toBe('live')
  for (const change of [
    { KITE_API_ROOT: 'http://127.0.0.1:8100' },
    { KITE_API_ROOT: 'http://api.kite.trade' },
    { KITE_API_ROOT: 'https://api.kite.trade.evil.example' },
    { KITE_LOGIN_ROOT: 'https://kite.zerodha.com.evil.example/connect/login' },
  ]) {
    expect(() => readConfig({ ...live, ...change })).toThrow(/in realm "live"/)
  }
})

test('a paper broker is any but the broker, with both of its roots', () => {
  const paper = { PAPER_API_ROOT: 'http://paper:8100/', PAPER_LOGIN_ROOT: 'https://paper.test/connect/login' }
  expect(readConfig({ ...good, ...paper }).paper).toEqual({
    apiRoot: 'http://paper:8100',
    loginRoot: 'https://paper.test/connect/login',
  })
  expect(readConfig(good).paper).toBeUndefined()
  expect(() => readConfig({ ...good, PAPER_API_ROOT: 'http://paper:8100' })).toThrow(/belong together/)
  for (const change of [
    { PAPER_API_ROOT: 'https://api.kite.trade' },
    { PAPER_LOGIN_ROOT: 'https://kite.zerodha.com/connect/login' },
  ])
    expect(() => readConfig({ ...good, ...paper, ...change })).toThrow(/paper orders would be real/)
})

test('secrets of the configuration do not print', () => {
  expect(JSON.stringify(readConfig(good))).not.toContain('hush')
})
