import type { Result } from '../aws-wire/errors.ts'
import type { SignIn } from '../aws-wire/sign-in.ts'
import type { Transport } from '../aws-wire/transport.ts'
import type { Bucket } from '../budget.ts'
import type { ConnectorTools } from '../connector.ts'
import type { Before } from './before.ts'
import type { AwsClients } from './clients.ts'
import type { AwsSettings } from './config.ts'
import type { InProgress } from './requests.ts'

/** What every file of this connector works with. */
export type Aws = {
  readonly settings: AwsSettings
  readonly clients: AwsClients
  readonly signedBy: SignIn
  readonly transport: Transport
  readonly tools: ConnectorTools
  readonly families: { readonly identityStore: Bucket; readonly ssoAdmin: Bucket }
  /** Permission set ARN → name. AWS never changes the name of one and never gives its ARN to another. */
  readonly permissionSetNames: Map<string, string>
  /** By ARN: permission sets that are being read at this moment. */
  readonly beingDescribed: Map<string, Promise<Result<string | null>>>
  readonly inProgress: InProgress
  /** Only while one `apply` runs. */
  readonly before?: Before
  /** Groups whose lists were too long to prove by, until when. A hint only. */
  readonly longLists: Map<string, number>
  /** Users assigned, by AWS account and permission set, as last read. A hint only: `done` is never said of it. */
  readonly lastAssigned: Map<string, { readonly at: number; readonly users: ReadonlySet<string> }>
}

/** The same, its reads ended by this signal. */
export const until = (aws: Aws, signal: AbortSignal): Aws => ({
  ...aws,
  transport: { ...aws.transport, read: (family, send, own) => aws.transport.read(family, send, own ?? signal) },
})

export const familiesOf = ({ callsPerSecond }: AwsSettings): Aws['families'] => ({
  identityStore: bucket('identity-store', callsPerSecond.identityStore),
  ssoAdmin: bucket('sso-admin', callsPerSecond.ssoAdmin),
})

const bucket = (name: string, perSecond: number): Bucket => ({ name, capacity: perSecond, perSecond })
