import { defineConfig } from 'vitest/config'

const node = { environment: 'node', testTimeout: 30_000, hookTimeout: 60_000 } as const
/** Tests mostly wait for servers and timers: more of them at once than a small machine has cores. */
const parallel = { ...node, maxWorkers: 3 } as const
const slowBorder = [
  '**/*.db.test.ts',
  '**/*.edge.test.ts',
  'infra/e2e/**/*.test.ts',
  'infra/chaos/**/*.test.ts',
]
const ignored = ['**/node_modules/**', '**/dist/**', '.dev/**']

// unit: pure logic. db: real Postgres and Redis. edge: the Worker in workerd. e2e: both planes and the simulator.
// chaos: minutes under load, not part of `pnpm test`.
export default defineConfig({
  test: {
    coverage: {
      provider: 'v8',
      include: [
        'shared/src/**/*.ts',
        'control-plane/src/**/*.ts',
        'data-plane/src/**/*.ts',
        'infra/kite-simulator/**/*.ts',
      ],
      exclude: ['**/*.test.ts', '**/testing/**'],
      reportOnFailure: true,
      reporter: ['text-summary', 'json-summary'],
    },
    projects: [
      {
        test: { ...parallel, name: 'unit', include: ['**/*.test.ts'], exclude: [...ignored, ...slowBorder] },
      },
      {
        test: {
          ...parallel,
          name: 'db',
          include: ['**/*.db.test.ts', '**/*.edge.test.ts'],
          exclude: ignored,
          globalSetup: ['infra/testing/global-setup.ts'],
        },
      },
      {
        test: {
          ...node,
          name: 'e2e',
          include: ['infra/e2e/**/*.test.ts'],
          exclude: ignored,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...node,
          name: 'chaos',
          include: ['infra/chaos/**/*.test.ts'],
          exclude: ignored,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
