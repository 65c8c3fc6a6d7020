import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { type Backpressure, LEVELS } from './backpressure.ts'
import type { DirtySet } from './dirty-set.ts'
import type { TickRedis } from './tick-redis.ts'

export function createPublishMetrics(
  registry: Registry,
  redis: TickRedis,
  dirty: DirtySet,
  backpressure: Backpressure,
) {
  const registers = [registry]
  const counter = (name: string, help: string) => new Counter({ name, help, registers })
  new Gauge({
    name: 'ticker_publish_redis_up',
    help: '1 while the tick Redis is connected',
    registers,
    collect() {
      this.set(redis.ready() ? 1 : 0)
    },
  })
  new Gauge({
    name: 'ticker_publish_dirty_instruments',
    help: 'Instruments with a tick that is not published yet',
    registers,
    collect() {
      this.set(dirty.size())
    },
  })
  new Gauge({
    name: 'ticker_publish_backpressure_level',
    help: '0 healthy, 1 warning, 2 critical (JSON rests), 3 overload',
    registers,
    collect() {
      this.set(LEVELS.indexOf(backpressure.level()))
    },
  })
  new Gauge({
    name: 'ticker_publish_breaker_open',
    help: '1 while nothing is sent because Redis refused five flushes in a row',
    registers,
    collect() {
      this.set(backpressure.openForMs() > 0 ? 1 : 0)
    },
  })
  return {
    ticks: counter('ticker_publish_ticks_total', 'Ticks published to Redis'),
    messages: counter('ticker_publish_messages_total', 'Messages published to Redis'),
    conflated: counter(
      'ticker_publish_conflated_total',
      'Ticks replaced by a later one of their instrument before they were published',
    ),
    jsonRested: counter(
      'ticker_publish_json_rested_total',
      'JSON ticks not sent because Redis does not keep up; their framed tick was sent',
    ),
    failures: new Counter({
      name: 'ticker_publish_failures_total',
      help: 'Flushes that Redis did not take',
      labelNames: ['reason'],
      registers,
    }),
    inFlight: new Histogram({
      name: 'ticker_publish_in_flight_ms',
      help: 'Sending a flush to its answer',
      buckets: [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000],
      registers,
    }),
    latency: new Histogram({
      name: 'ticker_received_to_published_ms',
      help: 'Receiving the oldest tick of a flush to the answer of Redis',
      buckets: [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 5000],
      registers,
    }),
  }
}
