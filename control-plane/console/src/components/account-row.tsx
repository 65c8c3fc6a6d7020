// One account on the board: its session, what it is for, and what can be done with it.
import { useState } from 'react'
import type { Account } from '../api/types.ts'
import { timeOf } from './format.ts'

type AccountUpdate = Partial<Pick<Account, 'market_data' | 'trading' | 'status'>> & {
  order_gate_reason?: null
}

export function AccountRow(props: {
  account: Account
  onLogIn: () => void
  onChange: (update: AccountUpdate) => void
  onDelete: () => void
}) {
  const { account, onChange } = props
  const { session } = account
  const healthy = session.status === 'active' && !session.market_data_reason
  return (
    <tr>
      <th scope="row">
        {account.id} {account.paper && <small>paper</small>}
      </th>
      <td>{account.broker_user_id ?? 'not known yet'}</td>
      <td className={healthy ? 'good' : 'bad'}>
        {session.status} {session.reason ?? session.market_data_reason}
      </td>
      <td>{timeOf(session.expires_at)}</td>
      <td>
        <input
          type="checkbox"
          aria-label={`${account.id} streams`}
          checked={account.market_data}
          disabled={account.paper}
          onChange={(event) => onChange({ market_data: event.target.checked })}
        />
      </td>
      <td>
        <input
          type="checkbox"
          aria-label={`${account.id} trades`}
          checked={account.trading}
          onChange={(event) => onChange({ trading: event.target.checked })}
        />
      </td>
      <td className={account.order_gate_reason ? 'bad' : undefined}>
        {account.order_gate_reason ?? (account.trading ? 'open' : 'not for trading')}
        {account.order_gate_reason && (
          <button type="button" onClick={() => onChange({ order_gate_reason: null })}>
            Reopen
          </button>
        )}
      </td>
      <td>{account.owner_instance_id ? 'yes' : `no instance of group ${account.egress_group}`}</td>
      <td>
        {account.status === 'active' ? (
          <>
            <button type="button" onClick={props.onLogIn}>
              Log in
            </button>
            <button type="button" onClick={() => onChange({ status: 'disabled' })}>
              Disable
            </button>
          </>
        ) : (
          <>
            <button type="button" onClick={() => onChange({ status: 'active' })}>
              Enable
            </button>
            <DeleteButton id={account.id} onDelete={props.onDelete} />
          </>
        )}
      </td>
    </tr>
  )
}

/** Asks once more: secrets that are erased do not come back. */
function DeleteButton({ id, onDelete }: { id: string; onDelete: () => void }) {
  const [asked, setAsked] = useState(false)
  if (!asked) {
    return (
      <button type="button" onClick={() => setAsked(true)}>
        Delete
      </button>
    )
  }
  return (
    <>
      <button
        type="button"
        onClick={() => {
          setAsked(false)
          onDelete()
        }}
      >
        Erase {id}
      </button>
      <button type="button" onClick={() => setAsked(false)}>
        Keep
      </button>
    </>
  )
}
