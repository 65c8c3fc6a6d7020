// The fence of what the order path stores by itself: only who owns the account now may.

export interface Owner {
  instanceId: string
  epoch: number
}

/** CTE `owned` (id), while this instance and epoch own the account: of $1 account, $2 instance, $3 epoch. */
export const OWNED = `owned as materialized (
  select a.id from ticker.accounts a join ticker.instances n on n.id = a.owner_instance_id and n.epoch = a.owner_epoch
  where a.id = $1 and n.id = $2 and n.epoch = $3 and n.lease_until > now())`
