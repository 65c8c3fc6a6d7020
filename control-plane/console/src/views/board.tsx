// The morning board: is everything up, who is logged in, what stops orders.
import { type FormEvent, useCallback } from 'react'
import type { Api } from '../api/client.ts'
import type { Fleet, MarketNow, Readiness } from '../api/types.ts'
import { AccountRow } from '../components/account-row.tsx'
import { number, timeOf } from '../components/format.ts'
import { loginNote } from '../components/login-note.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { useAccounts } from '../components/use-accounts.ts'
import { useAction } from '../components/use-action.ts'
import { usePoll } from '../components/use-poll.ts'

const EVERY_MS = 3_000
const MARKETS_EVERY_MS = 15_000

export function Board({ api }: { api: Api }) {
  const fleet = usePoll(
    useCallback(() => api.get<Fleet>('/v1/fleet'), [api]),
    EVERY_MS,
  )
  const markets = usePoll(
    useCallback(() => api.get<MarketNow>('/v1/calendar/now'), [api]),
    MARKETS_EVERY_MS,
  )
  const accounts = useAccounts(api, EVERY_MS)
  const ready = usePoll(
    useCallback(() => fetch('/readyz').then((answer) => answer.json() as Promise<Readiness>), []),
    EVERY_MS,
  )
  const { act, problem } = useAction(accounts.reload)

  const logIn = (id: string) => {
    // Opened while the click still counts as the user's, or the browser blocks it.
    const tab = window.open('about:blank', '_blank')
    return act(async () => {
      try {
        const { login_url } = await api.send<{ login_url: string }>('POST', `/v1/accounts/${id}/login`)
        if (tab) {
          tab.opener = null
          tab.location.href = login_url
        }
      } catch (error) {
        tab?.close()
        throw error
      }
    })
  }

  return (
    <>
      <section aria-label="Fleet" className="cards">
        {fleet.value && (
          <>
            <Card
              title="Realm"
              value={fleet.value.synthetic ? 'SIMULATED' : 'live'}
              loud={fleet.value.synthetic}
            />
            <Card title="Trading" value={fleet.value.trading_state} />
            <Card
              title="Instruments"
              value={number(fleet.value.instruments.count)}
              note={`dump of ${timeOf(fleet.value.instruments.fetched_at)}`}
            />
            <Card
              title="Command channel"
              value={
                fleet.value.command_channel.breaker === 'closed'
                  ? 'working'
                  : `breaker ${fleet.value.command_channel.breaker}`
              }
            />
          </>
        )}
        {markets.value && <MarketCard markets={markets.value} />}
        {ready.value && (
          <Card
            title="Control plane"
            value={ready.value.ready ? 'ready' : 'unfit'}
            loud={!ready.value.ready}
            note={ready.value.reasons
              .map((each) => (typeof each === 'string' ? each : `${each.part ?? ''} ${each.reason ?? ''}`))
              .join('; ')}
          />
        )}
      </section>
      <ProblemNote problem={fleet.problem ?? problem ?? accounts.problem} />
      <h2>Accounts</h2>
      <p className="bad" role="status">
        {loginNote(accounts.value?.items ?? [], Date.now())}
      </p>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Account</th>
              <th>Broker user</th>
              <th>Session</th>
              <th>Until</th>
              <th>Streams</th>
              <th>Trades</th>
              <th>Orders</th>
              <th>Served</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {accounts.value?.items.map((account) => (
              <AccountRow
                key={account.id}
                account={account}
                onLogIn={() => logIn(account.id)}
                onChange={(update) => act(() => api.send('PATCH', `/v1/accounts/${account.id}`, update))}
                onDelete={() => act(() => api.send('DELETE', `/v1/accounts/${account.id}`))}
              />
            ))}
          </tbody>
        </table>
      </div>
      {accounts.value?.items.length === 0 && <p>No account yet: add the Kite Connect app of one below.</p>}
      <NewAccount onCreate={(body) => act(() => api.send('POST', '/v1/accounts', body))} />
      <h2>Data plane</h2>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Instance</th>
              <th>Epoch</th>
              <th>State</th>
              <th>Egress group</th>
              <th>Lease until</th>
              <th>Streams</th>
              <th>Accounts</th>
            </tr>
          </thead>
          <tbody>
            {fleet.value?.instances.map((instance) => (
              <tr key={instance.id}>
                <th scope="row">
                  <code>{instance.id.slice(0, 8)}</code>
                </th>
                <td>{instance.epoch}</td>
                <td className={instance.alive ? 'good' : 'bad'}>
                  {instance.alive ? instance.status : 'gone'}
                </td>
                <td>{instance.egress_group}</td>
                <td>{timeOf(instance.lease_until)}</td>
                <td>{instance.stream_url}</td>
                <td>{instance.accounts.join(', ') || '—'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {fleet.value?.instances.length === 0 && (
        <p className="bad">No data plane runs: nothing streams and no order is sent.</p>
      )}
    </>
  )
}

/** The cash market, and what else is open: NFO trades on after it, MCX into the night. */
function MarketCard({ markets }: { markets: MarketNow }) {
  const [cash] = markets.items
  const open = markets.items.filter(({ phase }) => phase === 'open').map(({ exchange }) => exchange)
  if (!cash) return null
  return (
    <Card
      title={cash.exchange}
      value={cash.name ?? cash.phase.replace('_', ' ')}
      note={`${open.length > 0 ? `open: ${open.join(', ')}` : 'nothing open'}; opens next ${timeOf(cash.next_open)}`}
    />
  )
}

function Card({ title, value, note, loud }: { title: string; value: string; note?: string; loud?: boolean }) {
  return (
    <div className={loud ? 'card loud' : 'card'}>
      <small>{title}</small>
      <strong>{value}</strong>
      {note && <small>{note}</small>}
    </div>
  )
}

function NewAccount({ onCreate }: { onCreate: (body: Record<string, string>) => Promise<void> }) {
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = event.currentTarget
    const fields = [...new FormData(form)].map(([name, value]) => [name, String(value).trim()] as const)
    await onCreate(Object.fromEntries(fields.filter(([, value]) => value !== '')))
    form.reset()
  }
  return (
    <details>
      <summary>Add an account</summary>
      <form className="row" onSubmit={submit}>
        <label>
          Id <input name="id" required pattern="[a-z0-9_\-]{1,50}" title="1-50 of a-z, 0-9, _ and -" />
        </label>
        <label>
          Kite api_key <input name="api_key" required autoComplete="off" />
        </label>
        <label>
          Kite api_secret <input name="api_secret" type="password" required autoComplete="off" />
        </label>
        <label>
          Broker user <input name="broker_user_id" placeholder="learned at first login" />
        </label>
        <button type="submit">Add</button>
      </form>
    </details>
  )
}
