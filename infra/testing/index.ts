import './provided.ts'

export { freshDatabase, type TestDatabase } from './database.ts'
export { testRedisUrl } from './redis-url.ts'
