// A /v1/stream/sse client that keeps the events it was sent, for tests.
import { z } from 'zod'
import type { ApiClient } from './seed.ts'

const message = z.looseObject({
  op: z.string(),
  ticks: z.array(z.looseObject({ seq: z.number(), instrument_token: z.number() })).optional(),
})

export interface ServerSentEvent {
  id: string | undefined
  event: string
  message: z.infer<typeof message>
}

export interface EventClient {
  events: ServerSentEvent[]
  /** Every seq of `ticks` events, in the order received. */
  seqs(): number[]
  /** What to send as Last-Event-ID. */
  lastId(): string
  /** The server has ended it. */
  ended: Promise<void>
  close(): void
}

/** The client, or the response of a refusal. */
export async function requestEvents(
  url: string,
  headers: Record<string, string>,
  onEvent: (event: ServerSentEvent) => void = () => {},
): Promise<EventClient | Response> {
  const abort = new AbortController()
  const response = await fetch(url, { headers, signal: abort.signal })
  if (response.status !== 200 || !response.body) return response
  const events: ServerSentEvent[] = []
  return {
    events,
    seqs: () =>
      events.flatMap(({ event, message }) =>
        event === 'ticks' ? (message.ticks ?? []).map(({ seq }) => seq) : [],
      ),
    lastId: () => events.findLast(({ id }) => id !== undefined)?.id ?? '',
    // Closing it ourselves is an end too.
    ended: read(response.body, (event) => {
      events.push(event)
      onEvent(event)
    }).catch(() => {}),
    close: () => abort.abort(),
  }
}

export async function openEvents(
  url: string,
  headers: Record<string, string>,
  onEvent?: (event: ServerSentEvent) => void,
): Promise<EventClient> {
  const client = await requestEvents(url, headers, onEvent)
  if (client instanceof Response) throw new Error(`refused with ${client.status}: ${await client.text()}`)
  return client
}

/** With a ticket of its own, going on after an id when there is one. */
export async function streamEvents(
  api: ApiClient,
  instruments: readonly (number | string)[],
  lastEventId = '',
): Promise<EventClient> {
  const made = z.object({ ticket: z.string(), stream_url: z.string() })
  const { ticket, stream_url } = await api.call(made, 'POST', '/v1/stream-tickets')
  const query = new URLSearchParams({ instruments: instruments.join() })
  return openEvents(`${stream_url.replace(/^ws/, 'http')}/sse?${query}`, {
    Authorization: `Bearer ${ticket}`,
    'Last-Event-ID': lastEventId,
  })
}

async function read(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onEvent: (event: ServerSentEvent) => void,
) {
  let rest = ''
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line): [string, string] => {
          const [name = ''] = line.split(': ', 1)
          return [name, line.slice(name.length + 2)]
        }),
      )
      const data = fields.get('data')
      if (data === undefined) continue
      onEvent({
        id: fields.get('id'),
        event: fields.get('event') ?? 'message',
        message: message.parse(JSON.parse(data)),
      })
    }
  }
}
