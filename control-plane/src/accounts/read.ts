import type { Account, Session } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { mayUse } from '../auth/actor.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, type PageQuery, pageOf } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import {
  accountJson,
  accountRow,
  NOT_DELETED,
  sessionJson,
  sessionRow,
  visibleTo,
  withSession,
} from './rows.ts'

export async function listAccounts(call: Call, query: PageQuery) {
  const after = decodeCursor(query.cursor, z.tuple([cursorText]))
  const rows = await call.deps.db.rows(
    accountRow,
    sql`select ${accountJson(call.deps.config.realm === 'sim')} as account from ticker.accounts a ${withSession}
      where ${visibleTo(call.actor)} and ${NOT_DELETED} and ${after ? sql`a.id > ${after[0]}` : sql`true`}
      order by a.id limit ${query.limit + 1}`,
  )
  return pageOf(
    rows.map((row) => row.account),
    query.limit,
    (account) => [account.id],
  )
}

export async function getAccount(call: Call, id: string): Promise<Outcome<Account>> {
  if (!mayUse(call.actor, id)) return refused('account_not_allowed')
  const [row] = await call.deps.db.rows(
    accountRow,
    sql`select ${accountJson(call.deps.config.realm === 'sim')} as account from ticker.accounts a ${withSession}
      where a.id = ${id} and a.owner = ${call.actor.owner} and ${NOT_DELETED}`,
  )
  return row ? done(row.account) : refused('account_not_found')
}

export async function getSession(call: Call, id: string): Promise<Outcome<Session>> {
  if (!mayUse(call.actor, id)) return refused('account_not_allowed')
  const [row] = await call.deps.db.rows(
    sessionRow,
    sql`select ${sessionJson} as session from ticker.accounts a ${withSession}
      where a.id = ${id} and a.owner = ${call.actor.owner} and ${NOT_DELETED}`,
  )
  return row ? done(row.session) : refused('account_not_found')
}
