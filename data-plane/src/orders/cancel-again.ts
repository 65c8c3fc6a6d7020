/**
 * CTE beside `linked` (intent_id): the cancel of a whole order begins again when one more order of it turns up at the
 * broker. In the same commit as the evidence, or it could be lost between the two.
 */
export const CANCEL_AGAIN = `
  cancel_again as (
    update ticker.order_changes c set state = 'QUEUED', not_before = null, reason_code = null, reason = null, updated_at = now()
    from (select distinct intent_id from linked) l
    where c.intent_id = l.intent_id and c.kind = 'cancel' and c.order_id is null and c.state in ('DONE', 'RELEASED'))`
