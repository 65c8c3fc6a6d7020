import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react'
import { createApi } from './api/client.ts'
import { Audit } from './views/audit.tsx'
import { Batches } from './views/batches.tsx'
import { Board } from './views/board.tsx'
import { Chains } from './views/chains.tsx'
import { Gtts } from './views/gtts.tsx'
import { Instruments } from './views/instruments.tsx'
import { Keys } from './views/keys.tsx'
import { Ladders } from './views/ladders.tsx'
import { Live } from './views/live.tsx'
import { Orders } from './views/orders.tsx'
import { PnlView } from './views/pnl.tsx'
import { Risk } from './views/risk.tsx'
import { SignIn } from './views/sign-in.tsx'
import { Webhooks } from './views/webhooks.tsx'

const VIEWS = {
  board: 'Board',
  live: 'Live ticks',
  ladders: 'Strike ladders',
  chains: 'Option chains',
  candles: 'Candles',
  orders: 'Orders',
  batches: 'Batches',
  gtts: 'GTTs',
  pnl: 'P&L',
  risk: 'Risk',
  instruments: 'Instruments',
  webhooks: 'Webhooks',
  keys: 'Keys',
  audit: 'Audit',
} as const
/** With the chart that it brings it is half of the console: loaded when it is looked at. */
const Candles = lazy(() =>
  import('./views/candles.tsx').then(
    ({ Candles }) => ({ default: Candles }),
    () => ({ default: () => <p className="bad">The console was renewed meanwhile: reload the page.</p> }),
  ),
)
type View = keyof typeof VIEWS
/** For this tab only: gone when it is closed, never in a URL. */
const KEY_SLOT = 'ticker-api-key'

export function App() {
  const [key, setKey] = useState(() => sessionStorage.getItem(KEY_SLOT))
  const view = useHash()
  const forget = useCallback(() => {
    sessionStorage.removeItem(KEY_SLOT)
    setKey(null)
  }, [])
  const api = useMemo(() => (key === null ? undefined : createApi(key, forget)), [key, forget])

  if (!api) {
    return (
      <SignIn
        onKey={(next) => {
          sessionStorage.setItem(KEY_SLOT, next)
          setKey(next)
        }}
      />
    )
  }
  return (
    <>
      <header>
        <h1>Ticker</h1>
        <nav aria-label="Views">
          {Object.entries(VIEWS).map(([name, title]) => (
            <a key={name} href={`#${name}`} aria-current={name === view ? 'page' : undefined}>
              {title}
            </a>
          ))}
          <a href="/docs/api/">API</a>
        </nav>
        <button type="button" onClick={forget}>
          Forget key
        </button>
      </header>
      <main>
        {view === 'board' && <Board api={api} />}
        {view === 'live' && <Live api={api} />}
        {view === 'ladders' && <Ladders api={api} />}
        {view === 'chains' && <Chains api={api} />}
        {view === 'candles' && (
          <Suspense fallback={<p>Loading …</p>}>
            <Candles api={api} />
          </Suspense>
        )}
        {view === 'orders' && <Orders api={api} />}
        {view === 'batches' && <Batches api={api} />}
        {view === 'gtts' && <Gtts api={api} />}
        {view === 'pnl' && <PnlView api={api} />}
        {view === 'risk' && <Risk api={api} />}
        {view === 'instruments' && <Instruments api={api} />}
        {view === 'webhooks' && <Webhooks api={api} />}
        {view === 'keys' && <Keys api={api} />}
        {view === 'audit' && <Audit api={api} />}
      </main>
    </>
  )
}

function useHash(): View {
  const read = () => (Object.keys(VIEWS) as View[]).find((name) => name === location.hash.slice(1)) ?? 'board'
  const [view, setView] = useState(read)
  useEffect(() => {
    const follow = () => setView(read())
    window.addEventListener('hashchange', follow)
    return () => window.removeEventListener('hashchange', follow)
  })
  return view
}
