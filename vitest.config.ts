import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

/**
 * The limits end what hangs; they judge no speed. A poll waits as long as its test, not the second that is its default: a
 * small and busy machine may take longer for anything.
 */
const limits = { testTimeout: 180_000, hookTimeout: 180_000, expect: { poll: { timeout: 150_000 } } }

/** What failed may be known from its message alone, where no machine is left to look at. */
const chaiConfig = { truncateThreshold: 2000 }

/** One more than the cores of a small machine: a third of the time is waiting for what a test took away. */
const maxWorkers = 3

const real = {
  ...limits,
  chaiConfig,
  maxWorkers,
  pool: 'forks' as const,
  globalSetup: ['test/support/global-setup.ts'],
}
const protocol = 'test/integration/protocol/**/*.test.ts'

/**
 * `unit`: no I/O, all of it in seconds. `real` and `protocol`: on real Kafka, PostgreSQL, Redis and slapd, started once for
 * the run of both.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...limits,
          chaiConfig,
          maxWorkers,
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/scenarios/**/*.test.ts'],
          exclude: ['test/scenarios/**/*.real.test.ts'],
          // Nothing outlives a test here: a process loads the modules once, not for each file.
          isolate: false,
        },
      },
      {
        test: {
          ...real,
          name: 'real',
          include: ['test/{contracts,integration,e2e}/**/*.test.ts', 'test/scenarios/**/*.real.test.ts'],
          exclude: [protocol],
          // Each file has its own process: a test may kill or stall what it runs without touching its neighbours.
        },
      },
      {
        test: {
          ...real,
          name: 'protocol',
          include: [protocol],
          // Engines in the test's own process, each with a database of its own, ended with its test: a third of the time of so
          // many small files would be loading the same modules.
          isolate: false,
        },
      },
    ],
  },
})
