// Small recordings as the broker's ticks are recorded: timestamp,token,ltp.
import { writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'

export interface Recording {
  path: string
  rows: number
}

/** Rows 250 ms apart. */
export async function writeRecording(
  path: string,
  ticks: readonly (readonly [token: number, price: number])[],
): Promise<Recording> {
  const rows = ticks.map(([token, price], index) => {
    const at = new Date(Date.UTC(2025, 9, 9, 9, 15) + index * 250).toISOString()
    return `${at.replace('T', ' ').replace('Z', '000')},${token},${price.toFixed(2)}`
  })
  await writeFile(path, gzipSync(`timestamp,token,ltp\n${rows.join('\n')}\n`))
  return { path, rows: rows.length }
}
