import { expect, it } from 'vitest'
import { keyOfAlias, underlyingOf } from './symbol-aliases.ts'

it.each([
  ['INFY', 'NSE:INFY'],
  [' infy.ns ', 'NSE:INFY'],
  ['INFY.NSE', 'NSE:INFY'],
  ['INFY.BO', 'BSE:INFY'],
  ['INFY-EQ', 'NSE:INFY'],
  ['NSE:INFY-EQ', 'NSE:INFY'],
  ['BSE:SBIN', 'BSE:SBIN'],
  ['NSE:M&M', 'NSE:M&M'],
  ['NSE:BAJAJ-AUTO', 'NSE:BAJAJ-AUTO'],
  ['^NSEI', 'NSE:NIFTY 50'],
  ['nifty', 'NSE:NIFTY 50'],
  ['NSE:NIFTY', 'NSE:NIFTY 50'],
  ['Nifty  50', 'NSE:NIFTY 50'],
  ['^NSEBANK', 'NSE:NIFTY BANK'],
  ['BANKNIFTY', 'NSE:NIFTY BANK'],
  ['^BSESN', 'BSE:SENSEX'],
  ['SENSEX', 'BSE:SENSEX'],
  // What an exchange is said of stays there: NFO has no index.
  ['NFO:NIFTY', 'NFO:NIFTY'],
  ['', undefined],
  ['a:b:c', undefined],
  [':INFY', undefined],
  ['BSE:INFY.BO', 'BSE:INFY'],
  // Two exchanges are none.
  ['BSE:INFY.NS', undefined],
])('%j is %s', (text, key) => {
  expect(keyOfAlias(text)).toBe(key)
})

it.each([
  ['NIFTY', 'NIFTY'],
  ['NIFTY 50', 'NIFTY'],
  ['NSE:NIFTY 50', 'NIFTY'],
  ['^NSEI', 'NIFTY'],
  ['nifty50', 'NIFTY'],
  ['NSE:NIFTY BANK', 'BANKNIFTY'],
  ['^BSESN', 'SENSEX'],
  ['RELIANCE', 'RELIANCE'],
  ['RELIANCE.NS', 'RELIANCE'],
  ['NSE:RELIANCE', 'RELIANCE'],
  ['RELIANCE-EQ', 'RELIANCE'],
  ['M&M', 'M&M'],
  ['BAJAJ-AUTO', 'BAJAJ-AUTO'],
  ['GOLD', 'GOLD'],
  ['a:b:c', 'a:b:c'],
])('the derivatives of %j are named %s', (text, name) => {
  expect(underlyingOf(text)).toBe(name)
})
