// How the parts that speak HTTP are asked whether they are there.
import { z } from 'zod'
import type { Probe } from './health.ts'

export function answersOk(url: string): Probe {
  return async (signal) => {
    const answer = await fetch(url, { signal })
    await answer.body?.cancel()
    return answer.ok
  }
}

const readiness = z.object({ reasons: z.array(z.object({ part: z.string() })) })

/** Fit, or waiting for no more than somebody's login. */
export function isUp(readyUrl: string): Probe {
  return async (signal) => {
    const answer = await fetch(readyUrl, { signal })
    const { reasons } = readiness.parse(await answer.json())
    return reasons.every(({ part }) => part === 'subscriptions')
  }
}
