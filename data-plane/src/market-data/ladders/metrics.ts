import { strikeLadderReason } from '@ticker/shared/domain'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Ladder } from './ladder.ts'

export function createLadderMetrics(registry: Registry, ladders: () => Iterable<Ladder>) {
  const registers = [registry]
  new Gauge({
    name: 'ticker_strike_ladders',
    help: 'Strike ladders of all owners',
    registers,
    collect() {
      this.set([...ladders()].length)
    },
  })
  new Gauge({
    name: 'ticker_strike_ladder_instruments',
    help: 'Instruments that strike ladders want, each ladder counted',
    registers,
    collect() {
      this.set([...ladders()].reduce((sum, ladder) => sum + ladder.instruments().length, 0))
    },
  })
  new Gauge({
    name: 'ticker_strike_ladders_still',
    help: 'Strike ladders followed here that do not follow their spot, by reason',
    labelNames: ['reason'],
    registers,
    collect() {
      for (const reason of strikeLadderReason.exclude(['not_served']).options) this.set({ reason }, 0)
      for (const ladder of ladders()) {
        const reason = ladder.isFollowed() ? ladder.reason() : null
        if (reason !== null) this.inc({ reason })
      }
    },
  })
  new Gauge({
    name: 'ticker_strike_ladder_spot_age_ms',
    help: 'Age of the oldest spot of the strike ladders followed here',
    registers,
    collect() {
      const ages = [...ladders()]
        .filter((ladder) => ladder.isFollowed())
        .map((ladder) => ladder.spot()?.ageMs ?? 0)
      this.set(Math.max(0, ...ages))
    },
  })
  return {
    moves: new Counter({
      name: 'ticker_strike_ladder_moves_total',
      help: 'Moves of the money of strike ladders decided here',
      registers,
    }),
    retiredEarly: new Counter({
      name: 'ticker_strike_ladder_retired_early_total',
      help: 'Instruments that left a band and could not be kept for their minute, because too many did',
      registers,
    }),
    reports: new Counter({
      name: 'ticker_strike_ladder_reports_total',
      help: 'Reports on strike ladders to Postgres; refused: another instance has moved it or its rule has changed',
      labelNames: ['outcome'],
      registers,
    }),
  }
}
