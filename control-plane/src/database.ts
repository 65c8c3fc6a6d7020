// Postgres over HTTP: one statement is one round trip and one transaction. Rows are checked against a shape, so a
// query and its reader cannot drift apart. Errors carry the SQLSTATE and the constraint, never SQL or parameters.
import { neon, neonConfig } from '@neondatabase/serverless'
import { DrizzleQueryError, type SQL, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/neon-http'
import type { z } from 'zod'
import type { Config } from './config.ts'

export interface Database {
  rows<Shape extends z.ZodType>(shape: Shape, query: SQL): Promise<z.output<Shape>[]>
}

export class DatabaseUnavailable extends Error {}

/** Postgres refused the statement; nothing of it was applied. */
export class DatabaseError extends Error {
  readonly sqlState: string
  readonly constraint: string | undefined
  constructor(sqlState: string, constraint: string | undefined) {
    super(`SQLSTATE ${sqlState}${constraint ? ` (${constraint})` : ''}`)
    this.sqlState = sqlState
    this.constraint = constraint
  }
}

const TIMEOUT_MS = 5_000
/** A deadlock or serialization failure rolled the whole statement back: running it again is safe. */
const ATTEMPTS_MAX = 3
const RETRYABLE = new Set(['40P01', '40001'])
/** Connection, resources, shutdown: the server is not there for us, whatever we ask. */
const UNAVAILABLE = /^(08|53|57P|58)/
const UNIQUE_VIOLATION = '23505'

export function openDatabase(
  config: Pick<Config, 'databaseUrl' | 'neonHttpEndpoint'>,
  fetcher: typeof fetch,
): Database {
  // The driver keeps these two for the whole isolate; there is one database per isolate.
  if (config.neonHttpEndpoint) neonConfig.fetchEndpoint = config.neonHttpEndpoint
  neonConfig.fetchFunction = (url: string, init: RequestInit) =>
    fetcher(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) })
  const db = drizzle({ client: neon(config.databaseUrl.reveal()) })
  return {
    async rows(shape, query) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const { rows } = await db.execute(query)
          return rows.map((row) => shape.parse(row))
        } catch (error) {
          const known = classify(error)
          const again = known instanceof DatabaseError && RETRYABLE.has(known.sqlState)
          if (!again || attempt === ATTEMPTS_MAX) throw known
        }
      }
    },
  }
}

/** The name of the unique constraint an insert ran into, if that is what happened. */
export function violatedUnique(error: unknown): string | undefined {
  return error instanceof DatabaseError && error.sqlState === UNIQUE_VIOLATION
    ? (error.constraint ?? 'unknown')
    : undefined
}

function classify(error: unknown): unknown {
  if (!(error instanceof DrizzleQueryError)) return error
  const { cause } = error
  const field = (name: 'code' | 'constraint') => {
    const value: unknown = cause && name in cause ? Reflect.get(cause, name) : undefined
    return typeof value === 'string' ? value : undefined
  }
  const sqlState = field('code')
  if (sqlState === undefined || UNAVAILABLE.test(sqlState)) {
    return new DatabaseUnavailable(sqlState ? `SQLSTATE ${sqlState}` : 'no answer')
  }
  return new DatabaseError(sqlState, field('constraint'))
}

/** A timestamp as RFC 3339 UTC with milliseconds; null stays null. */
export function iso(column: SQL): SQL {
  return sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}

/** Texts as an array of Postgres. */
export function textArray(values: Iterable<string>): SQL {
  return sql`array(select jsonb_array_elements_text(${JSON.stringify([...values])}::jsonb))`
}
