// Ports for parts that are started a moment later. They lie below those that systems give out by themselves (32,768 and
// up): there any connection that is opened meanwhile, of any process, may take one away.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const [LOWEST, END] = [10_000, 32_768]
const TRIES_MAX = 100

/** The preferred loopback port if nothing listens there, else another that is not among `taken`. */
export async function freePort(preferred = 0, taken: readonly number[] = []): Promise<number> {
  if (preferred && (await isFree(preferred))) return preferred
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = randomInt(LOWEST, END)
    if (!taken.includes(port) && (await isFree(port))) return port
  }
  throw new Error('no free port on 127.0.0.1')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
