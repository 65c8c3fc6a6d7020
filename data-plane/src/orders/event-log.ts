/**
 * CTEs that append one event per row of CTE `happened` (account_id, intent_id, order_id, kind, detail); an intent's own
 * come before those of its changes.
 */
export const LOG_HAPPENED = `
  counted as (select account_id, count(*) as n from happened group by account_id),
  bumped as (
    update ticker.accounts a set event_seq = a.event_seq + c.n from counted c where a.id = c.account_id
    returning a.id, a.event_seq - c.n as base),
  logged as (
    insert into ticker.order_events (account_id, seq, kind, intent_id, order_id, detail)
    select h.account_id, b.base + row_number() over (partition by h.account_id order by h.kind desc, h.intent_id),
      h.kind, h.intent_id, h.order_id, h.detail
    from happened h join bumped b on b.id = h.account_id)`
