// Stores a dump in one transaction, mark and sweep by snapshot: readers see the old registry or the new one.
import type pg from 'pg'
import { inTransaction } from '../operations/transaction.ts'
import { createAmbiguousRows } from './ambiguous-rows.ts'
import type { DumpRow } from './dump-rows.ts'

const BATCH_ROWS = 2_000

/** An exchange that loses more than this share of contracts that have not expired is a broken dump (fault row 34). */
const SHRINK_MAX = 0.2

export class DumpRejected extends Error {}

export interface StoredDump {
  snapshotId: number
  rowCount: number
  /** `exchange:tradingsymbol` of what the dump contradicts itself about; not offered. */
  ambiguous: string[]
}

export async function storeDump(
  pool: pg.Pool,
  rows: AsyncIterable<DumpRow>,
  sha256: string,
  options: { force: boolean },
): Promise<StoredDump> {
  return inTransaction(pool, async (client) => {
    const inserted = await client.query<{ id: string }>(
      `insert into ticker.instrument_snapshots (row_count, sha256) values (0, '') returning id`,
    )
    const snapshotId = Number(inserted.rows[0]?.id)
    // Two rows may swap tokens between dumps: nothing is active until all of them are in.
    await client.query(`create temp table dump_before on commit drop as
      select exchange, count(*)::int as n from ticker.instruments
      where is_active and (expiry is null or expiry >= (now() at time zone 'Asia/Kolkata')::date) group by exchange`)
    await client.query('update ticker.instruments set is_active = false where is_active')
    let rowCount = 0
    const ambiguousRows = createAmbiguousRows()
    for await (const batch of batched(ambiguousRows.without(rows))) {
      await upsert(client, snapshotId, batch)
      rowCount += batch.length
    }
    const ambiguous = ambiguousRows.found()
    await client.query(
      `update ticker.instruments set is_active = false
       where (exchange, tradingsymbol) in (select * from unnest($1::text[], $2::text[]))`,
      [ambiguous.map((row) => row.exchange), ambiguous.map((row) => row.tradingsymbol)],
    )
    if (rowCount === 0) throw new DumpRejected('the dump is empty')
    if (!options.force) await refuseShrinking(client)
    await client.query('update ticker.instrument_snapshots set row_count = $2, sha256 = $3 where id = $1', [
      snapshotId,
      rowCount,
      sha256,
    ])
    await client.query('update ticker.fleet set instruments_version = instruments_version + 1')
    return {
      snapshotId,
      rowCount,
      ambiguous: ambiguous.map((row) => `${row.exchange}:${row.tradingsymbol}`),
    }
  })
}

async function upsert(client: pg.PoolClient, snapshotId: number, batch: DumpRow[]) {
  const column = (name: keyof DumpRow) => batch.map((row) => row[name])
  await client.query(
    `insert into ticker.instruments (exchange, tradingsymbol, instrument_token, exchange_token, name, expiry, strike,
       tick_size, lot_size, instrument_type, segment, snapshot_id, is_active)
     select *, $12::bigint, true from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::date[],
       $7::numeric[], $8::numeric[], $9::int[], $10::text[], $11::text[])
     on conflict (exchange, tradingsymbol) do update set instrument_token = excluded.instrument_token,
       exchange_token = excluded.exchange_token, name = excluded.name, expiry = excluded.expiry, strike = excluded.strike,
       tick_size = excluded.tick_size, lot_size = excluded.lot_size, instrument_type = excluded.instrument_type,
       segment = excluded.segment, snapshot_id = excluded.snapshot_id, is_active = true`,
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
      snapshotId,
    ],
  )
}

async function refuseShrinking(client: pg.PoolClient) {
  const { rows } = await client.query<{ exchange: string; before: number; after: number }>(
    `select b.exchange, b.n as before, count(i.*)::int as after from dump_before b
     left join ticker.instruments i on i.exchange = b.exchange and i.is_active
     group by b.exchange, b.n having count(i.*) < b.n * ${1 - SHRINK_MAX}`,
  )
  if (rows.length > 0) {
    const words = rows.map((row) => `${row.exchange} ${row.before} → ${row.after}`).join(', ')
    throw new DumpRejected(`instruments disappeared: ${words}; the last good dump is kept`)
  }
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
