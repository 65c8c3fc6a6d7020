// What an account has used of the broker's order limits, and what is left of the day: for entries, and for exits as well.
import type { InstanceStatus } from '@ticker/shared/commands'
import { ENTRIES_PER_DAY_MAX, type Governor, ORDERS_PER_DAY_MAX } from './governor.ts'

export type OrderBudget = NonNullable<InstanceStatus['order_budgets']>[number]

export function budgetOf(accountId: string, governor: Governor): OrderBudget {
  const today = governor.usedToday()
  const { second, minute } = governor.usedLately()
  return {
    account_id: accountId,
    ...{ orders_last_second: second, orders_last_minute: minute, orders_today: today },
    entries_left_today: Math.max(0, ENTRIES_PER_DAY_MAX - today),
    orders_left_today: Math.max(0, ORDERS_PER_DAY_MAX - today),
  }
}
