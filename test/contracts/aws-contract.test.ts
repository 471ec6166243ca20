import { afterAll, expect } from 'vitest'
import { type AwsWorld, makeAws, openAwsWorld } from './aws-world.ts'
import { connectorContract } from './connector-contract.ts'
import { usual } from './world.ts'

let opened: AwsWorld | undefined

connectorContract(
  'AWS IAM Identity Center',
  (world: AwsWorld) => makeAws(world),
  async () => (opened = await openAwsWorld()),
  // Pages of 100, and a call for each membership.
  { ...usual, crowd: 130 },
)

afterAll(() => {
  // Everything that the whole suite sent and got fits AWS's own service models.
  expect(opened?.modelProblems).toEqual([])
})
