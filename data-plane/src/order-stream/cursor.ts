// How far a client was brought, account by account, as a text: the `id` of server-sent events, sent back as Last-Event-ID.
// It names every account that was streamed, also those of which nothing has happened: what it does not name is new since.
import { accountId } from '@ticker/shared/domain'

/** By account, the seq of the last event that was sent. */
export type OrderCursor = ReadonlyMap<string, number>

const SEQ = /^\d{1,15}$/

export function cursorText(cursor: OrderCursor): string {
  return [...cursor].map(([account, seq]) => `${account}:${seq}`).join()
}

/** undefined: it is no cursor. Names at most `accountsMax`. */
export function parseCursor(text: string, accountsMax: number): OrderCursor | undefined {
  const parts = text.split(',')
  if (parts.length > accountsMax) return undefined
  const cursor = new Map<string, number>()
  for (const part of parts) {
    const [account = '', seq = '', ...more] = part.split(':')
    if (more.length > 0 || !SEQ.test(seq) || !accountId.safeParse(account).success || cursor.has(account))
      return undefined
    cursor.set(account, Number(seq))
  }
  return cursor
}
