import { afterAll, expect } from 'vitest'
import { type AwsWorld, makeAws, openAwsWorld } from './aws-world.ts'
import { connectorContract } from './connector-contract.ts'
import { usual } from './world.ts'

let opened: AwsWorld | undefined

connectorContract(
  'AWS IAM Identity Center',
  // One of its answers never comes; long enough for a busy machine all the same.
  (world: AwsWorld) => makeAws(world, { timeouts: { connectMs: 2_000, requestMs: 8_000 } }),
  async () => (opened = await openAwsWorld()),
  // Pages of 100, and a call for each membership.
  { ...usual, crowd: 250 },
)

afterAll(() => {
  // Everything that the whole suite sent and got fits AWS's own service models.
  expect(opened?.modelProblems).toEqual([])
})
