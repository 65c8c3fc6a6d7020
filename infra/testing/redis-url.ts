import { inject } from 'vitest'
import './provided.ts'

/** The Redis of this test run. Keys are shared by all test files: begin yours with something of your own. */
export function testRedisUrl(): string {
  return inject('redisUrl')
}
