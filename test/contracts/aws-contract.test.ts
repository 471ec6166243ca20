import { afterAll, expect } from 'vitest'
import { type AwsWorld, makeAws, openAwsWorld } from './aws-world.ts'
import { connectorContract } from './connector-contract.ts'

let opened: AwsWorld | undefined

connectorContract(
  'AWS IAM Identity Center',
  (world: AwsWorld) => makeAws(world),
  async () => (opened = await openAwsWorld()),
)

afterAll(() => {
  // Everything that the whole suite sent and got fits AWS's own service models.
  expect(opened?.modelProblems).toEqual([])
})
