// Webhooks: where a desk's own systems are told what happened, how they do, and what they were not given.
import { type FormEvent, useCallback, useState } from 'react'
import type { Api } from '../api/client.ts'
import type { Page, Webhook, WebhookDelivery } from '../api/types.ts'
import { timeOf } from '../components/format.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { useAction } from '../components/use-action.ts'
import { usePoll } from '../components/use-poll.ts'

const EVENTS = ['orders', 'sessions', 'risk'] as const

export function Webhooks({ api }: { api: Api }) {
  const webhooks = usePoll(
    useCallback(() => api.get<{ items: Webhook[] }>('/v1/webhooks'), [api]),
    5_000,
  )
  const { act, problem } = useAction(webhooks.reload)
  const [secret, setSecret] = useState<string>()
  const [shown, setShown] = useState<string>()

  function create(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const body = { url: String(form.get('url')), events: form.getAll('events').map(String) }
    return act(async () =>
      setSecret((await api.send<{ secret: string }>('POST', '/v1/webhooks', body)).secret),
    )
  }

  return (
    <>
      <ProblemNote problem={problem ?? webhooks.problem} />
      <h2>Webhooks</h2>
      {secret && (
        <p className="problem">
          Shown once, keep it now: <code>{secret}</code>
        </p>
      )}
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Endpoint</th>
              <th>Events</th>
              <th>Accounts</th>
              <th>Pending</th>
              <th>State</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {webhooks.value?.items.map((webhook) => (
              <tr key={webhook.id}>
                <th scope="row">{webhook.url}</th>
                <td>{webhook.events.join(', ')}</td>
                <td>{webhook.account_ids?.join(', ') ?? 'all'}</td>
                <td>{webhook.pending}</td>
                <td className={webhook.failures > 0 ? 'bad' : undefined}>{stateOf(webhook)}</td>
                <td className="chips">
                  <button type="button" onClick={() => setShown(webhook.id)}>
                    Deliveries
                  </button>
                  <button
                    type="button"
                    onClick={() =>
                      act(async () => {
                        await api.send('POST', `/v1/webhooks/${webhook.id}/test`)
                        setShown(webhook.id)
                      })
                    }
                  >
                    Test
                  </button>
                  <button
                    type="button"
                    onClick={() => act(() => api.send('DELETE', `/v1/webhooks/${webhook.id}`))}
                  >
                    Delete
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {webhooks.value?.items.some(({ id }) => id === shown) && shown && (
        <Deliveries key={shown} api={api} webhookId={shown} />
      )}
      <form onSubmit={create}>
        <label>
          New endpoint{' '}
          <input
            name="url"
            type="url"
            required
            maxLength={2000}
            placeholder="https://desk.example.com/ticker"
          />
        </label>
        <fieldset>
          <legend>Events</legend>
          {EVENTS.map((event) => (
            <label key={event} className="check">
              <input type="checkbox" name="events" value={event} defaultChecked /> {event}
            </label>
          ))}
        </fieldset>
        <button type="submit">Create</button>
      </form>
    </>
  )
}

function stateOf({ failures, rests_until }: Webhook): string {
  if (rests_until) return `${failures} failed in a row; rests until ${timeOf(rests_until)}`
  return failures > 0 ? `${failures} failed in a row` : 'well'
}

function Deliveries({ api, webhookId }: { api: Api; webhookId: string }) {
  const deliveries = usePoll(
    useCallback(
      () => api.get<Page<WebhookDelivery>>(`/v1/webhooks/${webhookId}/deliveries?limit=20`),
      [api, webhookId],
    ),
    2_000,
  )
  const { act, problem } = useAction(deliveries.reload)
  return (
    <>
      <h2>Deliveries</h2>
      <ProblemNote problem={problem ?? deliveries.problem} />
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Event</th>
              <th>Made</th>
              <th>State</th>
              <th>Attempts</th>
              <th>Last answer</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {deliveries.value?.items.map((delivery) => (
              <tr key={delivery.id}>
                <th scope="row" title={delivery.body}>
                  {delivery.event_type}
                </th>
                <td>{timeOf(delivery.created_at)}</td>
                <td className={delivery.state === 'dead' ? 'bad' : undefined}>{delivery.state}</td>
                <td>{delivery.attempts}</td>
                <td>{delivery.error ?? delivery.status ?? ''}</td>
                <td>
                  <button
                    type="button"
                    onClick={() =>
                      act(() => api.send('POST', `/v1/webhook-deliveries/${delivery.id}/redeliver`))
                    }
                  >
                    Send again
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}
