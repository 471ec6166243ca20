import type { IAMClient } from '@aws-sdk/client-iam'
import type { STSClient } from '@aws-sdk/client-sts'
import type { Transport } from '../aws-wire/transport.ts'
import type { Bucket } from '../budget.ts'
import type { ConnectorTools } from '../connector.ts'
import type { AwsIamSettings } from './config.ts'

/** What every file of this connector works with. */
export type Iam = {
  readonly settings: AwsIamSettings
  readonly client: IAMClient
  readonly sts: STSClient
  readonly transport: Transport
  readonly tools: ConnectorTools
  readonly bucket: Bucket
}

export const bucketOf = ({ callsPerSecond }: AwsIamSettings): Bucket => ({
  name: 'iam',
  capacity: callsPerSecond,
  perSecond: callsPerSecond,
})
