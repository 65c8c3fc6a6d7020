// Orders that belong together: placed from a list of legs, followed leg by leg, stopped and unwound.
import { type FormEvent, useCallback, useState } from 'react'
import type { Api } from '../api/client.ts'
import type { Batch, Order, Page } from '../api/types.ts'
import { Choice } from '../components/choice.tsx'
import { number, stateWords, timeOf } from '../components/format.ts'
import { LegInputs, legsOf } from '../components/leg-inputs.tsx'
import { ProblemNote } from '../components/problem-note.tsx'
import { useAccounts } from '../components/use-accounts.ts'
import { useAction } from '../components/use-action.ts'
import { usePoll } from '../components/use-poll.ts'

const SEQUENCES = {
  hedge_first: 'BUY legs are filled before SELL legs are sent',
  one_by_one: 'each is filled before the next is sent',
  all_at_once: 'all at once',
}
const UNWINDS = {
  square_off: 'cancel what is open, reverse what was filled',
  cancel_open: 'cancel what is open',
  none: 'leave what was sent',
}
const STATES: Record<Batch['state'], string> = {
  RUNNING: 'goes on',
  STOPPING: 'unwinds',
  DONE: 'every leg was filled or is working',
  STOPPED: 'has ended early',
}

export function Batches({ api }: { api: Api }) {
  const accounts = useAccounts(api, 30_000)
  const batches = usePoll(
    useCallback(() => api.get<Page<Batch>>('/v1/batches?limit=20'), [api]),
    2_000,
  )
  const { act, problem } = useAction(batches.reload)
  const [legs, setLegs] = useState(2)

  function place(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const body = {
      ...{ sequence: fields.get('sequence'), unwind: fields.get('unwind') },
      check_margin: fields.has('check_margin'),
      legs: legsOf(fields, legs),
    }
    void act(() => api.send('POST', '/v1/batches', body, { 'Idempotency-Key': crypto.randomUUID() }))
  }
  const stop = ({ id, unwind }: Batch, how: string) => {
    const words = UNWINDS[how === '' ? (unwind as keyof typeof UNWINDS) : 'square_off']
    if (!window.confirm(`Stop it, and ${words}?`)) return
    void act(() => api.send('DELETE', `/v1/batches/${id}${how}`))
  }

  return (
    <>
      <h2>Batches</h2>
      <form onSubmit={place} aria-label="Place a batch">
        <div className="row">
          <Choice
            name="account_id"
            title="Account"
            values={accounts.value?.items.map(({ id }) => id) ?? []}
          />
          <Choice name="product" title="Product" values={['NRML', 'MIS', 'CNC']} />
          <Choice name="sequence" title="Order" values={Object.keys(SEQUENCES)} words={SEQUENCES} />
          <Choice name="unwind" title="When it stops" values={Object.keys(UNWINDS)} words={UNWINDS} />
          <label className="check">
            <input type="checkbox" name="check_margin" defaultChecked /> only with margin
          </label>
        </div>
        {Array.from({ length: legs }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a leg is its place
          <LegInputs key={index} index={index} />
        ))}
        <div className="row">
          <button type="button" disabled={legs >= 20} onClick={() => setLegs(legs + 1)}>
            One leg more
          </button>
          <button type="button" disabled={legs <= 1} onClick={() => setLegs(legs - 1)}>
            One leg less
          </button>
          <button type="submit">Place the batch</button>
        </div>
      </form>
      <ProblemNote problem={problem ?? batches.problem} />
      {batches.value?.items.length === 0 && <p>No batches yet.</p>}
      {batches.value?.items.map((batch) => (
        <section key={batch.id} aria-label={`Batch ${batch.id}`}>
          <h3>
            {batch.account_id} <b className={batch.state === 'STOPPED' ? 'bad' : ''}>{batch.state}</b>{' '}
            <small>
              {STATES[batch.state]}; {timeOf(batch.created_at)}; <code>{batch.id}</code>
            </small>
          </h3>
          {batch.reason && <p>{batch.reason}</p>}
          {batch.unwind_failure && <p className="problem">Look at the positions: {batch.unwind_failure}</p>}
          {batch.margin && (
            <p>
              <small>
                margin {number(batch.margin.initial)} at first, {number(batch.margin.final)} in the end, of{' '}
                {number(batch.margin.available)}
              </small>
            </p>
          )}
          <ol>
            {batch.legs.map(({ order, unwind }, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a leg is its place
              <li key={index}>
                {batch.request.legs[index]?.transaction_type} {batch.request.legs[index]?.quantity}{' '}
                {batch.request.legs[index]?.exchange}:{batch.request.legs[index]?.tradingsymbol}{' '}
                {order ? <Progress order={order} /> : <small>not stored yet</small>}
                {unwind && (
                  <>
                    {' '}
                    reversed: <Progress order={unwind} />
                  </>
                )}
              </li>
            ))}
          </ol>
          {batch.state === 'RUNNING' && batch.stop_requested_at === null && (
            <p className="chips">
              <button type="button" onClick={() => stop(batch, '')}>
                Stop
              </button>
              <button type="button" className="bad" onClick={() => stop(batch, '?unwind=square_off')}>
                Stop and square off
              </button>
            </p>
          )}
        </section>
      ))}
    </>
  )
}

function Progress({ order }: { order: Order }) {
  const filled = order.broker_orders.reduce((sum, each) => sum + each.filled_quantity, 0)
  return (
    <>
      <b>{order.broker_orders.map(({ status }) => status).join(', ') || order.state}</b>{' '}
      <small>
        {filled} filled
        {order.broker_orders.length === 0 && `; ${stateWords(order.state)}`} {order.reason}
      </small>
    </>
  )
}
