// Pulls the kill switch of every data plane that is named, at once: `kill [--reason TEXT] http://10.0.0.5:9090 …`, with
// the token in KILL_TOKEN. Fails unless all of them have halted.
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { ConfigInvalid } from '../config.ts'

const TIMEOUT_MS = 5_000
const USAGE =
  'kill [--reason TEXT] OPS_URL…   with the token in KILL_TOKEN; OPS_URL such as http://127.0.0.1:9090'
const status = z.object({
  halts: z.array(z.object({ account_id: z.string() })),
  sweeps: z.array(z.object({ account_id: z.string(), state: z.string(), open: z.number() })),
})

export async function kill(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { reason: { type: 'string' } },
    allowPositionals: true,
  })
  const token = env.KILL_TOKEN
  if (!token || positionals.length === 0) throw new ConfigInvalid(USAGE)
  const outcomes = await Promise.all(positionals.map((url) => pull(url, token, values.reason)))
  for (const { line } of outcomes) console.log(line)
  const failed = outcomes.filter(({ ok }) => !ok).length
  if (failed > 0)
    throw new ConfigInvalid(`${failed} of ${outcomes.length} data planes did not say that they halted`)
}

async function pull(url: string, token: string, reason: string | undefined) {
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/ops/kill`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ reason }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (!response.ok) return { ok: false, line: `${url}: ${response.status} ${await response.text()}` }
    const { halts } = status.parse(await response.json())
    const accounts = halts.map(({ account_id }) => account_id).join(', ')
    return { ok: true, line: `${url}: halted ${accounts || 'nothing: it owns no account'}` }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    return { ok: false, line: `${url}: ${cause}` }
  }
}
