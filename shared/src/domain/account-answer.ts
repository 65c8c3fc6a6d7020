// What every answer on one account begins with.
import { z } from 'zod'
import { accountId } from './accounts.ts'

export const accountAnswer = {
  account_id: accountId,
  paper: z.boolean().meta({ description: 'Of a paper account' }),
  synthetic: z.boolean(),
  answered_at: z.string(),
}

const whole = z.object(accountAnswer)
export type AccountAnswer = z.infer<typeof whole>
