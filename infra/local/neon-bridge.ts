// Speaks Neon's SQL-over-HTTP protocol to one local PostgreSQL, so that the Worker's real driver runs unchanged.
// Local use only: whoever reaches the port may run SQL. The caller's connection string names the database, nothing
// else of it is trusted. A batch is one transaction.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import pg from 'pg'
import { closeServer, listen, readBody, sendJson } from './bridge-http.ts'

export interface NeonBridgeOptions {
  /** 0: any free port. */
  port: number
  /** postgres:// URL of the server; its database is used when the caller names none. */
  postgresUrl: string
  /** Connections per database. */
  connectionsMax?: number
}

export interface Bridge {
  url: string
  close(): Promise<void>
}

interface Statement {
  query: string
  params: unknown[]
}

const CONNECTIONS_MAX = 20
const DATABASES_MAX = 50
const BODY_BYTES_MAX = 64 * 1024 * 1024
const ISOLATION: Record<string, string> = {
  ReadUncommitted: 'read uncommitted',
  ReadCommitted: 'read committed',
  RepeatableRead: 'repeatable read',
  Serializable: 'serializable',
}
const RAW_TEXT = { getTypeParser: () => (text: string) => text }

export async function startNeonBridge(options: NeonBridgeOptions): Promise<Bridge> {
  const pools = new Map<string, pg.Pool>()
  const poolOf = (database: string): pg.Pool => {
    const known = pools.get(database)
    if (known) return known
    if (pools.size >= DATABASES_MAX) throw new Error(`more than ${DATABASES_MAX} databases on one bridge`)
    const url = new URL(options.postgresUrl)
    url.pathname = `/${database}`
    const pool = new pg.Pool({
      connectionString: url.href,
      max: options.connectionsMax ?? CONNECTIONS_MAX,
      connectionTimeoutMillis: 5_000,
    })
    // An idle connection that breaks (the server stopped) is no reason to end; the next query reports it.
    pool.on('error', () => pools.delete(database))
    pools.set(database, pool)
    return pool
  }

  const server = createServer((request, response) => {
    answer(request, response, poolOf, options).catch((error: unknown) => refuse(response, error))
  })
  const port = await listen(server, options.port)
  return {
    url: `http://127.0.0.1:${port}/sql`,
    async close() {
      await closeServer(server)
      await Promise.all([...pools.values()].map((pool) => pool.end()))
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  poolOf: (database: string) => pg.Pool,
  options: NeonBridgeOptions,
): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/sql') {
    return sendJson(response, 404, { message: 'POST /sql is all there is' })
  }
  const body: unknown = JSON.parse(await readBody(request, BODY_BYTES_MAX))
  const pool = poolOf(databaseOf(header(request, 'neon-connection-string'), options.postgresUrl))
  const objects = header(request, 'neon-array-mode') === 'false'
  if (isRecord(body) && Array.isArray(body.queries)) {
    const statements = body.queries.map(readStatement)
    const results = await runBatch(pool, statements, beginText(request), objects)
    return sendJson(response, 200, { results })
  }
  sendJson(response, 200, await run(pool, readStatement(body), objects))
}

async function runBatch(pool: pg.Pool, statements: Statement[], begin: string, objects: boolean) {
  const client = await pool.connect()
  try {
    await client.query(begin)
    const results: Awaited<ReturnType<typeof run>>[] = []
    for (const statement of statements) results.push(await run(client, statement, objects))
    await client.query('commit')
    return results
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  } finally {
    client.release()
  }
}

async function run(on: pg.Pool | pg.PoolClient, { query, params }: Statement, objects: boolean) {
  const result = await on.query<unknown[]>({ text: query, values: params, rowMode: 'array', types: RAW_TEXT })
  const fields = result.fields.map(
    ({ name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier }) => ({
      name,
      dataTypeID,
      tableID,
      columnID,
      dataTypeSize,
      dataTypeModifier,
      format: 'text',
    }),
  )
  const rows = objects
    ? result.rows.map((row) => Object.fromEntries(row.map((value, index) => [fields[index]?.name, value])))
    : result.rows
  return { command: result.command, rowCount: result.rowCount, rowAsArray: !objects, fields, rows }
}

function beginText(request: IncomingMessage): string {
  const isolation = ISOLATION[header(request, 'neon-batch-isolation-level')]
  const parts = ['begin']
  if (isolation) parts.push(`isolation level ${isolation}`)
  if (header(request, 'neon-batch-read-only') === 'true') parts.push('read only')
  if (header(request, 'neon-batch-deferrable') === 'true') parts.push('deferrable')
  return parts.join(' ')
}

function databaseOf(connectionString: string, fallback: string): string {
  const named = (text: string) => (URL.canParse(text) ? new URL(text).pathname.slice(1) : '')
  return decodeURIComponent(named(connectionString) || named(fallback) || 'postgres')
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name]
  return typeof value === 'string' ? value : ''
}

function readStatement(value: unknown): Statement {
  if (!isRecord(value) || typeof value.query !== 'string') throw new Error('a statement is { query, params }')
  return { query: value.query, params: Array.isArray(value.params) ? value.params : [] }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** SQL errors are the caller's (400, with what Postgres said); a server that is gone is not (500). */
function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
  } else if (error instanceof pg.DatabaseError) {
    const { message, code, detail, hint, position, internalPosition, internalQuery, severity, where } = error
    const { table, column, schema, dataType, constraint, file, line, routine } = error
    sendJson(response, 400, {
      ...{ message, code, detail, hint, position, internalPosition, internalQuery, severity, where },
      ...{ table, column, schema, dataType, constraint, file, line, routine },
    })
  } else {
    const message = error instanceof Error ? error.message : String(error)
    sendJson(response, error instanceof SyntaxError ? 400 : 500, { message })
  }
}
