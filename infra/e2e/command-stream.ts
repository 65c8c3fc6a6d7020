// The command stream of the data plane that is alive, as a fault finds it.
import { commandStreamKey } from '@ticker/shared/commands'
import { createClient } from 'redis'
import type { Desk } from './desk.ts'

export interface CommandStream {
  /** Everything that is in it now, oldest first. */
  said(): Promise<Record<string, string>[]>
  say(fields: Record<string, string>): Promise<unknown>
  /** Nothing more gets in while `work` goes on. */
  losing<T>(work: () => Promise<T>): Promise<T>
  close(): void
}

export async function openCommandStream(desk: Desk): Promise<CommandStream> {
  const redis = await createClient({ url: desk.system.redisUrl }).connect()
  const key = async () => {
    const alive = (await desk.fleet()).instances.find((each) => each.alive)
    return commandStreamKey('sim', alive?.id ?? '')
  }
  return {
    async said() {
      const entries = (await redis.xRange(await key(), '-', '+')) ?? []
      return entries.flatMap((entry) => (entry ? [entry.message] : []))
    },
    say: async (fields) => redis.xAdd(await key(), '*', fields),
    async losing(work) {
      await redis.sendCommand(['ACL', 'SETUSER', 'default', '-xadd'])
      try {
        return await work()
      } finally {
        await redis.sendCommand(['ACL', 'SETUSER', 'default', '+xadd'])
      }
    },
    close: () => redis.destroy(),
  }
}
