import { z } from 'zod'

export const auditEntry = z
  .object({
    id: z.string(),
    at: z.string(),
    actor: z.string().meta({
      description:
        'An API key id, `browser:…` on a login link, `broker:…` on a postback, `instance:…` of the data plane, `command:…` or `anonymous:…`',
    }),
    action: z.string().meta({ description: 'subject.verb', example: 'access_token.read' }),
    subject: z.string().meta({ description: 'Account id, API key id, or name of what it is about' }),
    outcome: z.enum(['allowed', 'denied']),
    request_id: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' })
export type AuditEntry = z.infer<typeof auditEntry>
