// Statements over a dump as a whole, of 150,000 rows. They may take as long as a slow database needs: cut off, they would be
// begun again and again and never end. Nothing waits for them but the load itself.

export const WHOLE_DUMP_MS = 120_000

/** Overrides the pool's query_timeout; the statement_timeout of the transaction must be as long. */
export function wholeDump(text: string, values: unknown[] = []) {
  return { text, values, query_timeout: WHOLE_DUMP_MS }
}
