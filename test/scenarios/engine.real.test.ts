import { test } from 'vitest'
import { openEngineHouse } from './engine-house.ts'
import { runScenario } from './run-scenario.ts'
import { readScenarios } from './scenario-file.ts'

test.concurrent.each(readScenarios().map(({ path, scenario }) => [path, scenario] as const))(
  '%s',
  async (_path, scenario) => {
    await runScenario(scenario, openEngineHouse)
  },
)
