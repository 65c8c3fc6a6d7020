// Whether what happens to orders is being streamed, and a number that changes soon after something has. While it is not,
// whoever shows orders had better look at them by itself.
import { useEffect, useState } from 'react'
import type { Api } from '../api/client.ts'
import { openSocket } from '../api/stream-socket.ts'

type Message =
  | { op: 'orders_subscribed' | 'order_event' | 'orders_gap' | 'error' | 'heartbeat' }
  | { op: 'orders_state'; state: 'live' | 'stale' }

/** What happens within it counts once. */
const TOGETHER_MS = 150

export function useOrderEvents(api: Api): { isLive: boolean; happened: number } {
  const [isLive, setLive] = useState(false)
  const [happened, setHappened] = useState(0)
  useEffect(() => {
    let timer: number | undefined
    function soon() {
      timer ??= window.setTimeout(() => {
        timer = undefined
        setHappened((count) => count + 1)
      }, TOGETHER_MS)
    }
    const close = openSocket<Message>(
      api,
      { op: 'subscribe_orders' },
      {
        state: (state) => state !== 'live' && setLive(false),
        message(message) {
          if (message.op === 'orders_subscribed') setLive(true)
          else if (message.op === 'orders_state') setLive(message.state === 'live')
          else if (message.op === 'order_event' || message.op === 'orders_gap') soon()
        },
      },
    )
    return () => {
      window.clearTimeout(timer)
      close()
    }
  }, [api])
  return { isLive, happened }
}
