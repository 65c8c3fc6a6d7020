// The tables both planes agree on. Postgres is the truth: desired state, sessions, intents and leases live here,
// a message on Redis only says "look again". Forward-only migrations in ../migrations (pnpm db:generate).
export * from './access.ts'
export * from './accounts.ts'
export * from './calendar.ts'
export * from './candles.ts'
export * from './fleet.ts'
export * from './history.ts'
export * from './instruments.ts'
export * from './orders.ts'
export * from './reconciliations.ts'
export * from './subscriptions.ts'
export * from './ticker.ts'
export * from './webhooks.ts'
