// The audit log: who did what, and who opened which credential.
import { type FormEvent, useCallback, useState } from 'react'
import type { Api } from '../api/client.ts'
import type { AuditEntry, Page } from '../api/types.ts'
import { timeOf } from '../components/format.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { usePoll } from '../components/use-poll.ts'

const POLL_MS = 5_000
const PAGE_ROWS = 50

export function Audit({ api }: { api: Api }) {
  const [filter, setFilter] = useState('')
  /** Cursors of the pages before this one; none: the newest, which is read again and again. */
  const [cursors, setCursors] = useState<string[]>([])
  const cursor = cursors.at(-1)
  const page = usePoll(
    useCallback(
      () =>
        api.get<Page<AuditEntry>>(
          `/v1/audit-log?limit=${PAGE_ROWS}${filter}${cursor === undefined ? '' : `&cursor=${cursor}`}`,
        ),
      [api, filter, cursor],
    ),
    POLL_MS,
  )

  function narrow(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const given = ['subject', 'action'].flatMap((name) => {
      const value = String(form.get(name)).trim()
      return value === '' ? [] : [`&${name}=${encodeURIComponent(value)}`]
    })
    setCursors([])
    setFilter(given.join(''))
  }

  return (
    <>
      <ProblemNote problem={page.problem} />
      <h2>Audit log</h2>
      <form className="row" onSubmit={narrow}>
        <label>
          About <input name="subject" maxLength={100} placeholder="account, key or ladder" />
        </label>
        <label>
          Action <input name="action" maxLength={50} placeholder="access_token.read" />
        </label>
        <button type="submit">Show</button>
      </form>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>When</th>
              <th>Action</th>
              <th>About</th>
              <th>Who</th>
              <th>Outcome</th>
              <th>More</th>
            </tr>
          </thead>
          <tbody>
            {page.value?.items.map((entry) => (
              <tr key={entry.id}>
                <td>{timeOf(entry.at)}</td>
                <td>{entry.action}</td>
                <td>{entry.subject}</td>
                <td>
                  <code>{entry.actor}</code>
                </td>
                <td className={entry.outcome === 'denied' ? 'bad' : undefined}>{entry.outcome}</td>
                <td>
                  {Object.entries(entry.detail).map(([name, value]) => (
                    <div key={name}>
                      <small>{name}</small> {typeof value === 'string' ? value : JSON.stringify(value)}
                    </div>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {page.value?.items.length === 0 && <p>Nothing of that in the log.</p>}
      <p className="chips">
        {cursors.length > 0 && (
          <button type="button" onClick={() => setCursors(cursors.slice(0, -1))}>
            Newer
          </button>
        )}
        {page.value?.next_cursor && (
          <button type="button" onClick={() => setCursors([...cursors, page.value?.next_cursor ?? ''])}>
            Older
          </button>
        )}
      </p>
    </>
  )
}
