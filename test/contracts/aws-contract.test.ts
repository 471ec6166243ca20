import { afterAll, expect } from 'vitest'
import { type AwsWorld, makeAws, openAwsWorld } from './aws-world.ts'
import { connectorContract } from './connector-contract.ts'
import { usual } from './world.ts'

let opened: AwsWorld | undefined

connectorContract(
  'AWS IAM Identity Center',
  (world: AwsWorld) => makeAws(world),
  async () => (opened = await openAwsWorld()),
  // Pages of 100, and a call for each membership; the key is a UserName (botocore's model of identitystore).
  { ...usual, crowd: 130, keys: /^[\p{L}\p{M}\p{S}\p{N}\p{P}]{1,128}$/u },
)

afterAll(() => {
  // Everything that the whole suite sent and got fits AWS's own service models.
  expect(opened?.modelProblems).toEqual([])
})
