// Ladders as the API shows them: the rule `l` with what the data plane last reported of it, `s`.
import { sql } from 'drizzle-orm'
import { iso } from '../database.ts'

/** Whoever streams the underlying reports every 10 s; silence for longer means that nobody does. */
const SILENT_AFTER = sql`interval '30 seconds'`

export const withState = sql`left join ticker.strike_ladder_states s on s.owner = l.owner and s.id = l.id`

export const ladderJson = sql`jsonb_build_object(
  'id', l.id, 'underlying', l.underlying, 'exchange', l.exchange, 'strikes', l.strikes, 'expiries', l.expiries,
  'option_types', to_jsonb(l.option_types), 'futures', l.futures, 'mode', l.mode, 'account_id', l.account_id,
  'instruments_max', l.instruments_max,
  'state', jsonb_build_object(
    'atm', (select value from jsonb_each(s.atms) order by key limit 1),
    'expiries', coalesce(
      (select jsonb_agg(jsonb_build_object('expiry', key, 'atm', value) order by key) from jsonb_each(s.atms)),
      '[]'::jsonb),
    'spot', case when s.spot is not null then jsonb_build_object(
      'instrument', s.spot_instrument, 'price', s.spot, 'at', ${iso(sql`s.spot_at`)},
      'age_ms', greatest(0, round(extract(epoch from now() - s.spot_at) * 1000))) end,
    'reason', case when s.reported_at > now() - ${SILENT_AFTER} then s.reason else 'not_served' end,
    'moves', coalesce(s.moves, 0),
    'moved_at', ${iso(sql`s.moved_at`)},
    'instruments', coalesce(cardinality(s.instrument_tokens), 0)),
  'created_at', ${iso(sql`l.created_at`)}, 'updated_at', ${iso(sql`l.updated_at`)})`
