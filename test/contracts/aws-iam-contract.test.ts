import type { NativeId } from '../../src/domain/ids.ts'
import { makeAwsIam, openAwsIamWorld } from './aws-iam-world.ts'
import { connectorContract } from './connector-contract.ts'

/** botocore's model of STS, roleSessionNameType. */
const sessionNames = /^[\w+=,.@-]{2,64}$/

connectorContract(
  'AWS IAM',
  (world: Awaited<ReturnType<typeof openAwsIamWorld>>) => makeAwsIam(world),
  openAwsIamWorld,
  {
    accounts: 'named',
    crowd: 1_100,
    // 4,096 characters.
    largestGroup: 200,
    unknownId: 'no session/name' as NativeId,
    keys: sessionNames,
  },
)
