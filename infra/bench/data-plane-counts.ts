// What a running data plane says of itself on /metrics.

export interface DataPlaneCounts {
  /** Ticks of the broker, since it started. */
  received: number
  /** Ticks to Redis, since it started. */
  published: number
  cpu_ms: number
  rss_bytes: number
  heap_bytes: number
  external_bytes: number
}

export async function readDataPlaneCounts(opsUrl: string): Promise<DataPlaneCounts> {
  const metrics = await (await fetch(`${opsUrl}/metrics`)).text()
  const lines = metrics.split('\n')
  const value = (name: string) => {
    const line = lines.find((each) => each.startsWith(`${name}{`) || each.startsWith(`${name} `))
    return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0)
  }
  return {
    received: value('ticker_ticks_received_total'),
    published: value('ticker_publish_ticks_total'),
    cpu_ms: value('process_cpu_seconds_total') * 1000,
    rss_bytes: value('process_resident_memory_bytes'),
    heap_bytes: value('nodejs_heap_size_used_bytes'),
    external_bytes: value('nodejs_external_memory_bytes'),
  }
}
