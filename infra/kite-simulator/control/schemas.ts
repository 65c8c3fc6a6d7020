// Bodies of the control API. Unknown fields are refused: a misspelt fault would otherwise test nothing.
import { z } from 'zod'

export const userSchema = z.strictObject({
  user_id: z.string().regex(/^[A-Za-z0-9_-]{1,50}$/),
  api_key: z.string().min(1).max(100),
  api_secret: z.string().min(1).max(100),
  user_name: z.string().max(100).optional(),
  redirect_url: z.url().optional(),
  postback_url: z.url().optional(),
  balance: z.number().nonnegative().optional(),
  access_token: z.string().min(8).max(100).optional(),
})

export const userChangeSchema = userSchema.pick({ redirect_url: true, postback_url: true, balance: true })

export const loginSchema = z.strictObject({
  user_id: z.string(),
  /** `request_token` for the redirect's token, `session` to be logged in at once. */
  result: z.enum(['request_token', 'session']).default('session'),
})

export const clockSchema = z
  .strictObject({
    set: z.iso.datetime({ offset: true }).optional(),
    offset_ms: z.number().optional(),
    speed: z.number().positive().max(10_000).optional(),
  })
  .refine((body) => body.set === undefined || body.offset_ms === undefined, 'either `set` or `offset_ms`')

export const replaySchema = z
  .strictObject({
    path: z.string().optional(),
    paths: z.array(z.string()).max(100).optional(),
    speed: z.number().positive().max(1_000_000).default(1),
    start: z.enum(['now', 'on_subscribe']).default('now'),
  })
  .refine((body) => (body.path === undefined) !== (body.paths === undefined), 'either `path` or `paths`')

export const frameSchema = z.strictObject({
  user_id: z.string(),
  type: z.enum(['error', 'message']),
  data: z.string().max(1_000),
})
