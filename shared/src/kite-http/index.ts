// The broker's REST API, typed, with the exact outcome of every call.
export * from './envelope.ts'
export * from './history.ts'
export * from './orders.ts'
export * from './quotes.ts'
export { authorization, type Credentials, KITE_VERSION, type KiteHttp } from './request.ts'
export * from './sessions.ts'
export { storable } from './storable.ts'
