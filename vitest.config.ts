import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    reporters: ['default', './test/support/summary.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          globalSetup: ['test/support/global-setup.ts'],
          pool: 'forks',
          // Our modules do nothing when imported and hold nothing between calls, so the files of a worker share them.
          isolate: false,
          // One more than there are cores: most files wait for processes of their own.
          maxWorkers: availableParallelism() + 1,
          // CI shares its machine with others, and many tests wait for real processes: any failure is tried twice more there.
          retry: process.env.CI === 'true' ? 2 : 0,
          testTimeout: process.env.CI === 'true' ? 90_000 : 30_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
