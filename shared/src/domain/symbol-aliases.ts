// Symbols as users of the earlier service and of other feeds write them: ^NSEI, INFY.NS, NSE:INFY-EQ, NIFTY50. A symbol
// that the dump lists is itself, always; an alias is what is left when it does not.
import { INDEX_OF_DERIVATIVES } from './index-symbols.ts'

const EXCHANGE_OF_SUFFIX: Readonly<Record<string, string>> = { NS: 'NSE', NSE: 'NSE', BO: 'BSE', BSE: 'BSE' }

const INDEX_ALIASES: ReadonlyMap<string, string> = new Map([
  ...INDEX_OF_DERIVATIVES,
  ['NIFTY50', 'NSE:NIFTY 50'],
  ['NIFTY 50', 'NSE:NIFTY 50'],
  ['NSEI', 'NSE:NIFTY 50'],
  ['NIFTYBANK', 'NSE:NIFTY BANK'],
  ['NIFTY BANK', 'NSE:NIFTY BANK'],
  ['BANK NIFTY', 'NSE:NIFTY BANK'],
  ['NSEBANK', 'NSE:NIFTY BANK'],
  ['NIFTY FIN SERVICE', 'NSE:NIFTY FIN SERVICE'],
  ['NIFTY MID SELECT', 'NSE:NIFTY MID SELECT'],
  ['BSESN', 'BSE:SENSEX'],
])

const UNDERLYING_OF_INDEX: ReadonlyMap<string, string> = new Map(
  [...INDEX_OF_DERIVATIVES].map(([name, key]) => [key, name]),
)

/** The `name` of the derivatives of what text names: of the name itself, of its index or share, or of an alias of those. */
export function underlyingOf(text: string): string {
  const isName = !/[:^.]|-(EQ|BE)$/i.test(text) && !INDEX_ALIASES.has(text.toUpperCase())
  if (isName) return text
  const key = keyOfAlias(text)
  if (key === undefined) return text
  return UNDERLYING_OF_INDEX.get(key) ?? key.slice(key.indexOf(':') + 1)
}

/** exchange:tradingsymbol that an alias stands for; without an exchange, NSE. undefined: it cannot be one. */
export function keyOfAlias(text: string): string | undefined {
  const plain = text.trim().toUpperCase().replace(/\s+/g, ' ')
  const [, prefix, body = ''] = /^(?:([A-Z]{2,10}):)?\^?([^:]+)$/.exec(plain) ?? []
  const [, withoutSuffix = body, suffix = ''] = /^(.+)\.(NSE?|BO|BSE)$/.exec(body) ?? []
  const symbol = withoutSuffix.replace(/-(EQ|BE)$/, '')
  if (symbol === '') return undefined
  const ofSuffix = EXCHANGE_OF_SUFFIX[suffix]
  // BSE:INFY.NS says two exchanges: whichever were taken, the other was meant as often.
  if (prefix !== undefined && ofSuffix !== undefined && prefix !== ofSuffix) return undefined
  const exchange = prefix ?? ofSuffix ?? 'NSE'
  const index = INDEX_ALIASES.get(symbol)
  if (index !== undefined && (prefix === undefined || index.startsWith(`${prefix}:`))) return index
  return `${exchange}:${symbol}`
}
