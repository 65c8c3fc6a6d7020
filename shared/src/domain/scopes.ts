/** What an API key may do. Without a schema, so that the console can list them without carrying a validator. */
export const SCOPES = [
  'accounts:read',
  'accounts:write',
  'instruments:read',
  'instruments:write',
  'subscriptions:read',
  'subscriptions:write',
  'orders:read',
  'orders:write',
  'portfolio:read',
  'risk:write',
  'stream',
  'fleet:read',
  'fleet:write',
  'keys:write',
  'audit:read',
  'calendar:write',
  'webhooks:write',
] as const
export type Scope = (typeof SCOPES)[number]
