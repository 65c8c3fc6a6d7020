// One load of the dump as the data plane does it, in a process of its own so that its memory is its own.
import pg from 'pg'
import { z } from 'zod'
import { systemClock } from '../../data-plane/src/clock.ts'
import { createInstrumentRefresh } from '../../data-plane/src/instruments/refresh.ts'
import { silentLog } from '../../data-plane/src/operations/log.ts'
import { createRegistry } from '../../data-plane/src/operations/process-metrics.ts'

const SAMPLE_MS = 10

const task = z.object({ root: z.string(), databaseUrl: z.string() })

process.on('message', async (message) => {
  const { root, databaseUrl } = task.parse(message)
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  await pool.query('select 1')
  const refresh = createInstrumentRefresh({
    ...{ pool, root, fetch, clock: systemClock, log: silentLog, registry: createRegistry({}) },
    accounts: () => [],
    onStored: () => {},
  })
  const before = process.memoryUsage.rss()
  let most = before
  const sample = () => {
    most = Math.max(most, process.memoryUsage.rss())
  }
  const sampling = setInterval(sample, SAMPLE_MS)
  const startedMs = performance.now()
  const { rowCount } = await refresh.refreshNow()
  const tookMs = performance.now() - startedMs
  sample()
  clearInterval(sampling)
  await pool.end()
  process.send?.({ rows: rowCount, tookMs, extraBytes: most - before })
})
