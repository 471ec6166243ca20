import { expect, test } from 'vitest'
import { openCoreHouse } from './core-house.ts'
import { runScenario } from './run-scenario.ts'
import { readScenarios } from './scenario-file.ts'

const scenarios = readScenarios()

test('there are scenarios, each under a name of its own', () => {
  expect(scenarios.length).toBeGreaterThanOrEqual(25)
  expect(new Set(scenarios.map(({ scenario }) => scenario.scenario)).size).toBe(scenarios.length)
})

test.each(scenarios.map(({ path, scenario }) => [path, scenario] as const))('%s', async (_path, scenario) => {
  await runScenario(scenario, openCoreHouse)
})
