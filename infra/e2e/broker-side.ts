// What the broker has of us, in the simulator's words.
import { z } from 'zod'
import type { RunningSystem } from './running-system.ts'

const state = z.object({
  sockets: z.array(
    z.object({ id: z.string(), ordinal: z.number(), user_id: z.string(), subscriptions: z.number() }),
  ),
})
export type BrokerSocket = z.infer<typeof state>['sockets'][number]

/** Open ticker sockets, of one user or of all. */
export async function socketsAtBroker(
  running: Pick<RunningSystem, 'simulator'>,
  userId?: string,
): Promise<BrokerSocket[]> {
  const { sockets } = state.parse(await running.simulator('GET', '/sim/state'))
  return userId === undefined ? sockets : sockets.filter((each) => each.user_id === userId)
}

export async function subscribedAtBroker(
  running: Pick<RunningSystem, 'simulator'>,
  userId?: string,
): Promise<number> {
  return (await socketsAtBroker(running, userId)).reduce((sum, each) => sum + each.subscriptions, 0)
}
