import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'

/** Prices of a recording (timestamp,token,ltp) by token, in file order. */
export async function readRecording(path: string): Promise<Map<number, number[]>> {
  const file = createReadStream(path)
  const lines = createInterface({ input: path.endsWith('.gz') ? file.pipe(createGunzip()) : file })
  const prices = new Map<number, number[]>()
  for await (const line of lines) {
    const [, token, price] = line.split(',')
    if (!token || !/^\d+$/.test(token)) continue
    const known = prices.get(Number(token)) ?? []
    known.push(Number(price))
    prices.set(Number(token), known)
  }
  return prices
}
