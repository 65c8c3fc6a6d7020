// Stores a dump in one transaction: readers see the old registry or the new one. All of it goes into a temporary table
// first, where it is checked and compared; only rows that differ are written.
import type pg from 'pg'
import { inTransaction } from '../operations/transaction.ts'
import { type ChangeCounts, recordChanges } from './changes.ts'
import type { DumpRow } from './dump-rows.ts'
import { WHOLE_DUMP_MS, wholeDump } from './whole-dump.ts'

/** In one statement: to write more as its parameters is a turn that ticks notice. */
const BATCH_ROWS = 500

/** An exchange that loses more than this share of contracts that have not expired is a broken dump (fault row 34). */
const SHRINK_MAX = 0.2

const COLUMNS = `exchange, tradingsymbol, instrument_token, exchange_token, name, expiry, strike, tick_size, lot_size,
  instrument_type, segment`
const NOT_EXPIRED = `(expiry is null or expiry >= (now() at time zone 'Asia/Kolkata')::date)`

export class DumpRejected extends Error {}

/** Refused by the shrink guard; whoever knows better names it by its hash. */
export class DumpShrunk extends DumpRejected {
  readonly sha256: string
  constructor(lost: string, sha256: string) {
    super(
      `instruments disappeared: ${lost}; the last good dump is kept. To store this one all the same, ask for a refresh ` +
        `with force_sha256 ${sha256}`,
    )
    this.sha256 = sha256
  }
}

export interface StoredDump {
  snapshotId: number
  rowCount: number
  /** `exchange:tradingsymbol` of what the dump contradicts itself about; not offered. */
  ambiguous: string[]
  /** How many contracts differ from the dump before, and in what. */
  changes: ChangeCounts
}

export async function storeDump(
  pool: pg.Pool,
  rows: AsyncIterable<DumpRow>,
  sha256: string,
  { guarded }: { guarded: boolean },
): Promise<StoredDump> {
  return inTransaction(pool, async (client) => {
    // 150,000 rows are sorted and joined in memory.
    await client.query("set local work_mem = '64MB'")
    await client.query(`set local statement_timeout = ${WHOLE_DUMP_MS}`)
    await client.query(
      `create temp table dump on commit drop as select ${COLUMNS} from ticker.instruments with no data`,
    )
    // A batch is stored while the next is read.
    let storing = Promise.resolve()
    for await (const batch of batched(rows)) {
      await storing
      storing = insert(client, batch)
      // Awaited above or below; that it failed before is not unhandled.
      storing.catch(() => {})
    }
    await storing
    const ambiguous = await removeAmbiguous(client)
    await client.query(wholeDump('create unique index on dump (exchange, tradingsymbol)'))
    await client.query(wholeDump('analyze dump'))
    const rowCount = await countRows(client)
    if (rowCount === 0) throw new DumpRejected('the dump is empty')
    if (guarded) await refuseShrinking(client, sha256)
    const inserted = await client.query<{ id: string }>(
      'insert into ticker.instrument_snapshots (row_count, sha256) values ($1, $2) returning id',
      [rowCount, sha256],
    )
    const snapshotId = Number(inserted.rows[0]?.id)
    const changes = await recordChanges(client, snapshotId)
    const written = (await sweep(client)) + (await upsert(client, snapshotId))
    // The same dump again is no news: nobody reads the registry anew for it.
    if (written > 0) {
      // Searches are planned by what is in the table now, not before it was loaded.
      await client.query(wholeDump('analyze ticker.instruments'))
      await client.query('update ticker.fleet set instruments_version = instruments_version + 1')
    }
    return { snapshotId, rowCount, ambiguous, changes }
  })
}

async function insert(client: pg.PoolClient, batch: DumpRow[]) {
  const column = (name: keyof DumpRow) => batch.map((row) => row[name])
  await client.query(
    `insert into dump (${COLUMNS}) select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[],
       $6::date[], $7::numeric[], $8::numeric[], $9::int[], $10::text[], $11::text[])`,
    [
      column('exchange'),
      column('tradingsymbol'),
      column('instrument_token'),
      column('exchange_token'),
      column('name'),
      column('expiry'),
      column('strike'),
      column('tick_size'),
      column('lot_size'),
      column('instrument_type'),
      column('segment'),
    ],
  )
}

/**
 * A dump in which one name has two tokens, or one token two names, does not say which is meant: none of them is offered,
 * and the rest of the dump stands. A row that is there twice with the same name and token is one row.
 */
async function removeAmbiguous(client: pg.PoolClient): Promise<string[]> {
  await client.query(
    wholeDump(
      `delete from dump where ctid in (select ctid from (select ctid,
       row_number() over (partition by exchange, tradingsymbol, instrument_token) as n from dump) d where n > 1)`,
    ),
  )
  const { rows } = await client.query<{ key: string }>(
    wholeDump(
      `with ambiguous as (delete from dump
       where (exchange, tradingsymbol) in (select exchange, tradingsymbol from dump group by 1, 2 having count(*) > 1)
          or instrument_token in (select instrument_token from dump group by 1 having count(*) > 1)
       returning exchange || ':' || tradingsymbol as key)
     select distinct key from ambiguous order by key`,
    ),
  )
  return rows.map(({ key }) => key)
}

async function countRows(client: pg.PoolClient): Promise<number> {
  const { rows } = await client.query<{ n: number }>('select count(*)::int as n from dump')
  return rows[0]?.n ?? 0
}

async function refuseShrinking(client: pg.PoolClient, sha256: string) {
  const { rows } = await client.query<{ exchange: string; before: number; after: number }>(
    `select exchange, b.n::int as before, coalesce(a.n, 0)::int as after
     from (select exchange, count(*) as n from ticker.instruments where is_active and ${NOT_EXPIRED} group by 1) b
     left join (select exchange, count(*) as n from dump where ${NOT_EXPIRED} group by 1) a using (exchange)
     where coalesce(a.n, 0) < b.n * ${1 - SHRINK_MAX} order by exchange`,
  )
  if (rows.length > 0) {
    const words = rows.map((row) => `${row.exchange} ${row.before} → ${row.after}`).join(', ')
    throw new DumpShrunk(words, sha256)
  }
}

/** What is gone; and what has another token now, because two rows may have swapped theirs. */
async function sweep(client: pg.PoolClient): Promise<number> {
  const { rowCount } = await client.query(
    wholeDump(
      `update ticker.instruments i set is_active = false where is_active and not exists (select 1 from dump d
       where d.exchange = i.exchange and d.tradingsymbol = i.tradingsymbol and d.instrument_token = i.instrument_token)`,
    ),
  )
  return rowCount ?? 0
}

/** Rows that the dump says nothing new about stay as they are. New ones apart: for each, ON CONFLICT costs more. */
async function upsert(client: pg.PoolClient, snapshotId: number): Promise<number> {
  const said = `instrument_token, exchange_token, name, expiry, strike, tick_size, lot_size, instrument_type, segment`
  const of = (row: string) => said.replaceAll(/(\w+)/g, `${row}.$1`)
  const updated = await client.query(
    wholeDump(
      `update ticker.instruments i set (${said}, snapshot_id, is_active) = (${of('d')}, $1::bigint, true) from dump d
     where i.exchange = d.exchange and i.tradingsymbol = d.tradingsymbol
       and (${of('i')}, i.is_active) is distinct from (${of('d')}, true)`,
      [snapshotId],
    ),
  )
  const inserted = await client.query(
    wholeDump(
      `insert into ticker.instruments (${COLUMNS}, snapshot_id, is_active)
     select ${COLUMNS}, $1::bigint, true from dump d where not exists (select 1 from ticker.instruments i
       where i.exchange = d.exchange and i.tradingsymbol = d.tradingsymbol)
     order by exchange, tradingsymbol`,
      [snapshotId],
    ),
  )
  return (updated.rowCount ?? 0) + (inserted.rowCount ?? 0)
}

async function* batched(rows: AsyncIterable<DumpRow>): AsyncGenerator<DumpRow[]> {
  let batch: DumpRow[] = []
  for await (const row of rows) {
    batch.push(row)
    if (batch.length === BATCH_ROWS) {
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}
