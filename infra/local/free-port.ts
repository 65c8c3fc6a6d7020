import { createServer } from 'node:net'

/** The preferred loopback port if nothing listens there, else one the system picks. */
export async function freePort(preferred = 0): Promise<number> {
  for (const candidate of preferred ? [preferred, 0] : [0]) {
    const port = await tryListen(candidate)
    if (port !== undefined) return port
  }
  throw new Error('no free port on 127.0.0.1')
}

function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address && typeof address === 'object' ? address.port : undefined))
    })
  })
}
