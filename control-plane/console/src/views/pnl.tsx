// Profit and loss of one account by our own record, and how that record stands to the broker's.
import { useCallback, useState } from 'react'
import type { Api } from '../api/client.ts'
import type { Page, Pnl, PnlFigures, Reconciliation } from '../api/types.ts'
import { number, timeOf } from '../components/format.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { useAccounts } from '../components/use-accounts.ts'
import { useAction } from '../components/use-action.ts'
import { usePoll } from '../components/use-poll.ts'

/** Each read is one of the account's at the broker. */
const POLL_MS = 5_000
const ACCOUNTS_POLL_MS = 30_000
const REASONS: Record<Reconciliation['reason'], string> = {
  start: 'at the start',
  reconnect: 'after a reconnect',
  close: 'at the close',
  asked: 'asked for',
}

export function PnlView({ api }: { api: Api }) {
  const accounts = useAccounts(api, ACCOUNTS_POLL_MS)
  const [chosen, setChosen] = useState<string>()
  const account = chosen ?? accounts.value?.items.find(({ session }) => session.status === 'active')?.id
  return (
    <>
      <h2>Profit and loss</h2>
      <ProblemNote problem={accounts.problem} />
      <label>
        Account
        <select value={account} onChange={(event) => setChosen(event.target.value)}>
          {accounts.value?.items.map(({ id }) => (
            <option key={id}>{id}</option>
          ))}
        </select>
      </label>
      {account && <Figures key={account} api={api} account={account} />}
      {account && <Reports key={`reports ${account}`} api={api} account={account} />}
    </>
  )
}

function Figures({ api, account }: { api: Api; account: string }) {
  const { value: pnl, problem } = usePoll(
    useCallback(() => api.get<Pnl>(`/v1/pnl?account_id=${encodeURIComponent(account)}`), [api, account]),
    POLL_MS,
  )
  if (!pnl) return <ProblemNote problem={problem} />
  return (
    <>
      <ProblemNote problem={problem} />
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Strategy</th>
              <FigureHeads />
              <th className="num">Broker</th>
            </tr>
          </thead>
          <tbody>
            {pnl.strategies.map((each) => (
              <tr key={each.strategy ?? ''}>
                <th scope="row">{each.strategy ?? 'none, or placed elsewhere'}</th>
                <FigureCells of={each} />
                <td />
              </tr>
            ))}
            <tr>
              <th scope="row">The account</th>
              <FigureCells of={pnl.account} />
              <td className="num">{number(pnl.account.broker.pnl)}</td>
            </tr>
          </tbody>
        </table>
      </div>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Position</th>
              <th>Product</th>
              <th className="num">Quantity</th>
              <th className="num">Average</th>
              <th className="num">Last</th>
              <FigureHeads />
              <th className="num">Broker</th>
            </tr>
          </thead>
          <tbody>
            {pnl.positions.map((each) => (
              <tr key={`${each.exchange}:${each.tradingsymbol}:${each.product}`}>
                <th scope="row">
                  {each.exchange}:{each.tradingsymbol}
                </th>
                <td>{each.product}</td>
                <td className="num">
                  {number(each.quantity)}
                  {each.broker?.quantity !== each.quantity && (
                    <small className="bad"> broker: {number(each.broker?.quantity)}</small>
                  )}
                </td>
                <td className="num">{number(each.average_price)}</td>
                <td className="num">
                  {number(each.last_price)}
                  {each.price_from === 'broker' && <small> the broker’s</small>}
                </td>
                <FigureCells of={each} />
                <td className="num">{number(each.broker?.pnl)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

function FigureHeads() {
  return ['Realised', 'Unrealised', 'P&L', 'Of the day'].map((title) => (
    <th key={title} className="num">
      {title}
    </th>
  ))
}

function FigureCells({ of }: { of: PnlFigures }) {
  return (['realised', 'unrealised', 'pnl', 'day_pnl'] as const).map((name) => (
    <td key={name} className={`num ${(of[name] ?? 0) < 0 ? 'bad' : ''}`}>
      {number(of[name])}
    </td>
  ))
}

function Reports({ api, account }: { api: Api; account: string }) {
  const path = `/v1/reconciliations?limit=5&account_id=${encodeURIComponent(account)}`
  const reports = usePoll(
    useCallback(() => api.get<Page<Reconciliation>>(path), [api, path]),
    POLL_MS,
  )
  const { act, problem } = useAction(reports.reload)
  return (
    <>
      <h2>Compared with the broker</h2>
      <ProblemNote problem={problem ?? reports.problem} />
      <button
        type="button"
        onClick={() => act(() => api.send('POST', '/v1/reconciliations', { account_id: account }))}
      >
        Compare now
      </button>
      <ul>
        {reports.value?.items.map((each) => (
          <li key={each.id}>
            {REASONS[each.reason]}, {timeOf(each.finished_at ?? each.requested_at)}: <Outcome of={each} />
            {each.report && each.report.external.count > 0 && (
              <>, {each.report.external.count} placed elsewhere</>
            )}
            {each.report && each.report.drift.count > 0 && (
              <ul>
                {each.report.drift.items.map((item) => (
                  <li key={JSON.stringify(item)} className="bad">
                    {item.kind.replaceAll('_', ' ')} {item.tradingsymbol} {item.product} {item.order_id}{' '}
                    {item.field}: {item.ours ?? '—'} here, {item.broker ?? '—'} at the broker
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}

function Outcome({ of: { state, outcome, failure, report } }: { of: Reconciliation }) {
  if (state === 'PENDING') return failure ? `tried again: ${failure}` : 'is being made'
  if (state === 'FAILED') return <span className="bad">could not be made: {failure}</span>
  return outcome === 'agrees' ? (
    <span className="good">agrees</span>
  ) : (
    <b className="bad">{report?.drift.count} differences</b>
  )
}
