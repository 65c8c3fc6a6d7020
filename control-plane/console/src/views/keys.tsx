// API keys, and day tokens for unmodified Kite clients.
import { SCOPES } from '@ticker/shared/domain/scopes'
import { type FormEvent, useCallback, useState } from 'react'
import type { Api } from '../api/client.ts'
import type { ApiKey, Page } from '../api/types.ts'
import { timeOf } from '../components/format.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { useAccounts } from '../components/use-accounts.ts'
import { useAction } from '../components/use-action.ts'
import { usePoll } from '../components/use-poll.ts'

interface KiteToken {
  api_key: string
  access_token: string
  expires_at: string
  kite_socket_url: string
}

export function Keys({ api }: { api: Api }) {
  const keys = usePoll(
    useCallback(() => api.get<Page<ApiKey>>('/v1/api-keys?limit=100'), [api]),
    15_000,
  )
  const accounts = useAccounts(api, 30_000)
  const { act, problem } = useAction(keys.reload)
  const [secret, setSecret] = useState<string>()
  const [token, setToken] = useState<KiteToken>()

  function create(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const repeats = Number(form.get('refuse_repeats_s'))
    const body = {
      name: String(form.get('name')),
      scopes: form.getAll('scopes').map(String),
      ...(repeats > 0 ? { refuse_repeats_s: repeats } : {}),
    }
    return act(async () =>
      setSecret((await api.send<{ secret: string }>('POST', '/v1/api-keys', body)).secret),
    )
  }

  return (
    <>
      <ProblemNote problem={problem ?? keys.problem} />
      <h2>Kite tokens</h2>
      <p>For unmodified Kite clients: valid to the next 06:00 IST, bound to one account and to your key.</p>
      <p className="chips">
        {accounts.value?.items.map((account) => (
          <button
            type="button"
            key={account.id}
            onClick={() =>
              act(async () =>
                setToken(await api.send<KiteToken>('POST', '/v1/kite-tokens', { account_id: account.id })),
              )
            }
          >
            Token for {account.id}
          </button>
        ))}
      </p>
      {token && (
        <pre>{`// JavaScript
new KiteTicker({ api_key: '${token.api_key}', access_token: '${token.access_token}', root: '${token.kite_socket_url}' })

# Python
KiteTicker("${token.api_key}", "${token.access_token}", root="${token.kite_socket_url}")`}</pre>
      )}
      <h2>API keys</h2>
      {secret && (
        <p className="problem">
          Shown once, keep it now: <code>{secret}</code>
        </p>
      )}
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Name</th>
              <th>Id</th>
              <th>Scopes</th>
              <th>Repeats</th>
              <th>Made</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {keys.value?.items.map((key) => (
              <tr key={key.id}>
                <th scope="row">{key.name}</th>
                <td>
                  <code>{key.id}</code>
                </td>
                <td>{key.scopes.length === SCOPES.length ? 'all' : key.scopes.join(', ')}</td>
                <td>{key.refuse_repeats_s === null ? '' : `refused for ${key.refuse_repeats_s} s`}</td>
                <td>{timeOf(key.created_at)}</td>
                <td>
                  {key.revoked_at ? (
                    `revoked ${timeOf(key.revoked_at)}`
                  ) : (
                    <button
                      type="button"
                      onClick={() =>
                        act(async () => void (await api.send('DELETE', `/v1/api-keys/${key.id}`)))
                      }
                    >
                      Revoke
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <form onSubmit={create}>
        <label>
          New key <input name="name" required maxLength={100} placeholder="what it is for" />
        </label>
        <label>
          Refuse repeats of unsettled Kite orders for{' '}
          <input name="refuse_repeats_s" type="number" min={1} max={600} placeholder="never" /> s
        </label>
        <fieldset>
          <legend>Scopes</legend>
          {SCOPES.map((scope) => (
            <label key={scope} className="check">
              <input type="checkbox" name="scopes" value={scope} defaultChecked={scope.endsWith(':read')} />{' '}
              {scope}
            </label>
          ))}
        </fieldset>
        <button type="submit">Create</button>
      </form>
    </>
  )
}
