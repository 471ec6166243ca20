import { defineConfig } from 'vitest/config'

/**
 * The limits end what hangs; they judge no speed. A poll waits as long as its test, not the second that is its default: a
 * small and busy machine may take longer for anything.
 */
const expect = { poll: { timeout: 150_000 } }

/** What failed may be known from its message alone, where no machine is left to look at. */
const chaiConfig = { truncateThreshold: 2000 }

/** `unit`: no I/O, all of it in seconds. `real`: on real Kafka, PostgreSQL, Redis and slapd, started once for the run. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/scenarios/**/*.test.ts'],
          exclude: ['test/scenarios/**/*.real.test.ts'],
          // Nothing outlives a test here: a process loads the modules once, not for each file.
          isolate: false,
          maxWorkers: 3,
          testTimeout: 180_000,
          expect,
          chaiConfig,
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/{contracts,integration,e2e}/**/*.test.ts', 'test/scenarios/**/*.real.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          // Each file has its own process: a test may kill or stall what it runs without touching its neighbours.
          pool: 'forks',
          // One more than the cores of a small machine: a third of the time is waiting for what a test took away.
          maxWorkers: 3,
          testTimeout: 180_000,
          expect,
          chaiConfig,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
