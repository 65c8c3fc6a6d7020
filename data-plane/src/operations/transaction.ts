// Several statements on one connection. A connection whose state is not known for certain (its rollback or unlock was
// not confirmed) is closed, never given back: what followed on it would be part of a transaction nobody commits.
// One that breaks between two statements fails the next of them: the pool listens to idle connections alone, and an
// error that nobody listens to ends the process.
import type pg from 'pg'

export async function inTransaction<T>(
  pool: pg.Pool,
  use: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const { client, giveBack } = await checkedOut(pool)
  let doubtful = false
  try {
    await client.query('begin')
    const result = await use(client)
    await client.query('commit')
    return result
  } catch (error) {
    doubtful = !(await client.query('rollback').then(
      () => true,
      () => false,
    ))
    throw error
  } finally {
    giveBack(doubtful)
  }
}

/** Runs `use` while holding the advisory lock; false: somebody else holds it, nothing was done. */
export async function withAdvisoryLock(
  pool: pg.Pool,
  lock: number,
  use: () => Promise<void>,
): Promise<boolean> {
  const { client, giveBack } = await checkedOut(pool)
  let doubtful = true
  try {
    const { rows } = await client.query<{ ok: boolean }>('select pg_try_advisory_lock($1) as ok', [lock])
    if (!rows[0]?.ok) {
      doubtful = false
      return false
    }
    try {
      await use()
    } finally {
      const unlocked = client.query<{ ok: boolean }>('select pg_advisory_unlock($1) as ok', [lock])
      doubtful = !(await unlocked.then(
        (answer) => answer.rows[0]?.ok === true,
        () => false,
      ))
    }
    return true
  } finally {
    giveBack(doubtful)
  }
}

async function checkedOut(pool: pg.Pool) {
  const client = await pool.connect()
  const ignore = () => {}
  client.on('error', ignore)
  return {
    client,
    giveBack(doubtful: boolean) {
      client.release(doubtful)
      client.off('error', ignore)
    },
  }
}
