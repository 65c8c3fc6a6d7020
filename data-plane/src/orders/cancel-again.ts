/**
 * CTE beside `linked` (intent_id): the cancel of a whole order begins again when one more order of it turns up at the
 * broker. In the same commit as the evidence, or it could be lost between the two. Returns its event.
 */
export const CANCEL_AGAIN = `
  cancel_again as (
    update ticker.order_changes c set state = 'QUEUED', not_before = null, reason_code = null, reason = null, updated_at = now()
    from (select intent_id, min(order_id) as order_id from linked group by intent_id) l
    where c.intent_id = l.intent_id and c.kind = 'cancel' and c.order_id is null and c.state in ('DONE', 'RELEASED', 'REJECTED')
    returning c.account_id, c.intent_id, l.order_id, 'cancel.queued' as kind,
      jsonb_build_object('change_id', c.id, 'reason', 'Another order of it turned up at the broker.') as detail)`
