// A TCP proxy whose way to the server can be made slow: a delay, a bandwidth, or no progress at all.
import { connect, createServer, type Socket } from 'node:net'

export interface ShapedProxy {
  port: number
  shape(way: { delayMs?: number; bytesPerSecond?: number; stalled?: boolean }): void
  stop(): Promise<void>
}

export async function shapedProxy(target: URL): Promise<ShapedProxy> {
  const open = new Set<Socket>()
  let way: Parameters<ShapedProxy['shape']>[0] = {}
  const proxy = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => [near, far].forEach((each) => void each.destroy()))
    }
    let freeAtMs = 0
    near.on('data', (bytes) => {
      if (way.stalled) return
      const nowMs = performance.now()
      // The line sends one thing after the other; then it travels.
      freeAtMs =
        Math.max(nowMs, freeAtMs) + (bytes.length / (way.bytesPerSecond ?? Number.POSITIVE_INFINITY)) * 1000
      setTimeout(() => far.write(bytes), freeAtMs - nowMs + (way.delayMs ?? 0))
    })
    far.on('data', (bytes) => near.write(bytes))
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    shape(next) {
      way = next
    },
    async stop() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}
