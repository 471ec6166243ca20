import { z } from 'zod'
import { credentials, endpoint, timeouts } from '../aws-wire/settings.ts'
import { namesThePerson, template } from '../template.ts'
import { attributeNames } from './attributes.ts'

/** Finds one user by something that AWS keeps unique. */
const lookup = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('externalId'), issuer: z.string().min(1), value: template }),
  z.strictObject({ by: z.literal('userName'), value: template }),
  z.strictObject({ by: z.literal('email'), value: template }),
])
export type Lookup = z.output<typeof lookup>

const correlation = z
  .strictObject({
    /** All are asked, in this order; users that differ are many. */
    lookups: z
      .array(lookup)
      .min(1)
      .default([{ by: 'userName', value: '{personKey}' }]),
    /**
     * Where a user shows whose it is, for look-ups by something that is no person key: `employeeNumber` of the enterprise
     * extension. `none` trusts the name alone, in so many words.
     */
    proof: z.enum(['employeeNumber', 'none']).optional(),
  })
  .superRefine(({ lookups, proof }, context) => {
    if (proof === undefined && lookups.some(({ value }) => !namesThePerson(value)))
      context.addIssue({
        code: 'custom',
        path: ['proof'],
        message:
          'a look-up without {personKey} finds whoever has the name now: beside lookups, say `correlation.proof: employeeNumber` (or none, which trusts the name)',
      })
  })

const account = z.strictObject({
  /** Set when a user is created, never changed. */
  userName: template.default('{personKey}'),
  attributes: z
    .partialRecord(z.enum(attributeNames), template)
    .default({
      displayName: '{displayName|username}',
      givenName: '{givenName}',
      familyName: '{familyName}',
      email: '{workEmail}',
    })
    .describe(
      "Attribute → template, kept right on users that Muster owns; those with ExternalIds are SCIM's. Left out: displayName, givenName, familyName and email with accounts: create, none with accounts: expect.",
    ),
})

const owner = z.enum(['muster', 'scim-idp', 'nobody'])
export type Owner = z.output<typeof owner>

const ownership = z.strictObject({
  /** Of a group that no pattern names. */
  default: owner.default('muster'),
  /** The first that matches decides. A name, or the beginning of one and a `*`. */
  groups: z
    .array(z.strictObject({ name: z.string().regex(/^[^*]+\*?$|^\*$/, 'a name, or its beginning and *'), owner }))
    .default([]),
})

/**
 * Configuration of an IAM Identity Center instance. `credentials.secretAccessKey` and `.sessionToken` are secret references
 * in muster.yaml and the secrets themselves by the time they reach the connector; `credentials.tokenFile` is an absolute
 * path by then.
 */
export const awsSettingsSchema = z.strictObject({
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'not a region, such as eu-central-1'),
  instanceArn: z
    .string()
    .regex(/^arn:aws[\w-]*:sso:::instance\/(sso)?ins-[a-zA-Z0-9-.]{16}$/, 'not the ARN of an instance'),
  identityStoreId: z
    .string()
    .regex(/^(d-[0-9a-f]{10}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/, 'not an identity store id'),
  credentials,
  endpoint,
  correlation: correlation.prefault({}),
  account: account.prefault({}),
  ownership: ownership.prefault({}),
  /** none: only groups. Account instances of Identity Center have no assignments. */
  assignments: z.enum(['manage', 'none']).default('manage'),
  /**
   * What ends live role sessions of a leaver. none: they run out. deny-inline-policy: a Deny in the inline policy of every
   * permission set that the user reaches.
   */
  sessions: z.enum(['none', 'deny-inline-policy']).default('none'),
  /** Calls a second of each API family, all its users together; AWS raises them on request. */
  callsPerSecond: z
    .strictObject({
      identityStore: z.number().min(1).max(10_000).default(20),
      ssoAdmin: z.number().min(1).max(10_000).default(20),
    })
    .prefault({}),
  timeouts,
})

export type AwsSettings = z.output<typeof awsSettingsSchema>
