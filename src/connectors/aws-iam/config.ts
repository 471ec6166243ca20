import { z } from 'zod'
import { credentials, endpoint, timeouts } from '../aws-wire/settings.ts'
import { namesThePerson, template } from '../template.ts'

/** A role session's name: API reference of STS, AssumeRole, RoleSessionName. */
export const sessionNamePattern = /^[\w+=,.@-]{2,64}$/

const session = z
  .strictObject({
    /** The name that the federation gives to this person's sessions (SAML), or the subject of their tokens (OIDC). */
    name: template.default('{personKey}'),
    /** true: whoever has that name is trusted to be the person, in so many words. */
    trustName: z.boolean().default(false),
  })
  .superRefine(({ name, trustName }, context) => {
    if (!trustName && !namesThePerson(name))
      context.addIssue({
        code: 'custom',
        path: ['trustName'],
        message: 'a session name without {personKey} is somebody else’s one day: say trustName: true',
      })
  })

const providerArn = (kind: 'saml' | 'oidc') =>
  z
    .string()
    .regex(
      kind === 'saml'
        ? /^arn:aws[\w-]*:iam::\d{12}:saml-provider\/[\w.-]+$/
        : /^arn:aws[\w-]*:iam::\d{12}:oidc-provider\/[\w./:-]+$/,
      `not the ARN of a provider for ${kind}`,
    )
const audience = z
  .string()
  .regex(/^[!-~]{1,256}$/, 'is printable ASCII without spaces')
  // Policy variables and wildcards would make it mean more than it says.
  .regex(/^[^$*?]*$/, 'must not hold $, * or ?')

const federation = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('saml'),
    providerArn: providerArn('saml'),
    audience: audience.default('https://signin.aws.amazon.com/saml'),
    /** The assertion carries session tags: they are let through. */
    tagSession: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal('oidc'),
    providerArn: providerArn('oidc'),
    audience,
    tagSession: z.boolean().default(false),
  }),
])
export type Federation = z.output<typeof federation>

const roles = z
  .array(
    z.strictObject({
      /** A name, or the beginning of one and a `*`. IAM ignores the case of role names. */
      name: z.string().regex(/^[\w+=,.@-]{1,64}$|^[\w+=,.@-]{0,63}\*$/, 'a role name, or its beginning and *'),
      /** Roles below it. */
      path: z
        .string()
        .regex(/^\/(?:[!-~]*\/)?$/, 'begins and ends with /')
        .default('/'),
    }),
  )
  .min(1)

/**
 * Configuration of one AWS account's IAM roles. `credentials.secretAccessKey` and `.sessionToken` are secret references in
 * muster.yaml and the secrets themselves by the time they reach the connector; `credentials.tokenFile` is an absolute path
 * by then.
 */
export const awsIamSettingsSchema = z
  .strictObject({
    accountId: z.string().regex(/^\d{12}$/, 'is 12 digits'),
    /** IAM is global; this one signs, and says which partition. */
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'not a region, such as eu-central-1')
      .default('us-east-1'),
    credentials,
    endpoint,
    federation,
    session: session.prefault({}),
    /** Roles that Muster may change; all others are protected. */
    roles,
    /** Of our statements' Sids. Another one for each installation that works on the same roles. */
    sidPrefix: z
      .string()
      .regex(/^[A-Za-z0-9]{3,32}$/, 'is 3 to 32 letters and digits')
      .default('Muster'),
    /** Characters of a trust policy: the account's quota «role trust policy length». */
    trustPolicyLimit: z.int().min(2_048).max(8_192).default(2_048),
    /** What ends live role sessions. none: they run out. deny-inline-policy: a Deny in the role's inline policy. */
    sessions: z.enum(['none', 'deny-inline-policy']).default('none'),
    /** IAM is eventually consistent: so long a read may not show a write, and so many reads in a row must show it. */
    settle: z
      .strictObject({
        ms: z.int().min(0).max(120_000).default(15_000),
        confirmations: z.int().min(1).max(10).default(2),
      })
      .prefault({}),
    /** AWS publishes no rate for IAM. */
    callsPerSecond: z.number().min(1).max(10_000).default(10),
    timeouts,
  })
  .superRefine(({ accountId, federation }, context) => {
    if (federation.providerArn.split(':')[4] !== accountId)
      context.addIssue({
        code: 'custom',
        path: ['federation', 'providerArn'],
        message: `is not of the account ${accountId}`,
      })
  })

export type AwsIamSettings = z.output<typeof awsIamSettingsSchema>

type Reach = Pick<AwsIamSettings, 'accountId' | 'roles'>
type Pattern = AwsIamSettings['roles'][number]

/** Whether two targets may write one role. Without a look at case, as IAM finds roles. */
export const mayMeetInARole = (one: Reach, other: Reach): boolean =>
  one.accountId === other.accountId && one.roles.some((mine) => other.roles.some((theirs) => mayMeet(mine, theirs)))

const mayMeet = (one: Pattern, other: Pattern): boolean =>
  (one.path.startsWith(other.path) || other.path.startsWith(one.path)) &&
  (covers(one.name, other.name) || covers(other.name, one.name))

/** Whether some name of `narrow` is one of `wide`, which is at most as long; both may end in `*`. */
const covers = (wide: string, narrow: string): boolean =>
  wide.endsWith('*')
    ? narrow.toLowerCase().startsWith(wide.slice(0, -1).toLowerCase())
    : narrow.toLowerCase() === wide.toLowerCase()
