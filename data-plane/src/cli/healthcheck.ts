import type { Config } from '../config.ts'

/** For the container's HEALTHCHECK: throws unless the running process answers that it is alive. */
export async function healthcheck(config: Config): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${config.opsPort}/healthz`, {
    signal: AbortSignal.timeout(2_000),
  })
  if (!response.ok) throw new Error(`/healthz answered ${response.status}`)
}
