import { expect, it } from 'vitest'
import { isKiteHost } from './kite-host.ts'

it.each([
  'https://api.kite.trade',
  'https://API.kite.trade.:443/x',
  'https://kite.zerodha.com/connect/login',
])('%s is the broker', (url) => expect(isKiteHost(url)).toBe(true))

it.each(['http://paper:8100', 'https://kite.trade.example.com', 'https://mykite.trade.local'])(
  '%s is not',
  (url) => expect(isKiteHost(url)).toBe(false),
)
