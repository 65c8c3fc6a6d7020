// Which requests are an unmodified Kite client's: the broker's own paths at the root of this origin, and all of them again
// under /kite/api (KITE-COMPATIBILITY "Root URLs").

const ALIAS = /^\/kite\/api(?=\/|$)/
const ROOTS = new Set([
  ...['orders', 'trades', 'portfolio', 'user', 'session', 'quote', 'instruments', 'margins', 'charges'],
  ...['mf', 'gtt', 'alerts'],
])

/** As the broker spells it; undefined: it is none of them. `//` is what clients make of a root that ends with a slash. */
export function kitePathOf(path: string): string | undefined {
  const single = path.replace(/\/{2,}/g, '/')
  const bare = single.replace(ALIAS, '') || '/'
  if (bare !== single) return bare
  return ROOTS.has(single.split('/')[1] ?? '') ? single : undefined
}
