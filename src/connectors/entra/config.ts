import { z } from 'zod'
import { alternativesBy, checkAlternatives } from '../alternatives.ts'
import { template } from '../template.ts'
import { cloudNames } from './clouds.ts'
import { isCorrelation, shapeOf } from './properties.ts'

const guid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'not a GUID')
const origin = z
  .string()
  .regex(/^https:\/\/[^/?#@]+$/i, 'must read https://host[:port]: Graph and its tokens travel by TLS only')

/** In the order in which they are advised: nothing to steal, something to rotate, something to leak. */
const credential = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('federated'),
    tokenFile: z
      .string()
      .min(1)
      .describe("File with the workload's own token (Kubernetes, GitHub …); read again each time."),
  }),
  z.strictObject({
    kind: z.literal('certificate'),
    certificateFile: z
      .string()
      .min(1)
      .describe('PEM file with certificate and private key; read again for each token.'),
  }),
  z
    .strictObject({
      kind: z.literal('secret'),
      secretFile: z.string().min(1).optional().describe('File with the client secret; read again for each token.'),
      secret: z
        .string()
        .min(1)
        .optional()
        .describe('Or the secret by reference: file:PATH is read again for each token, env:NAME needs a restart.'),
    })
    .refine(({ secretFile, secret }) => (secretFile === undefined) !== (secret === undefined), {
      message: 'needs either secretFile or secret',
    }),
])

const limit = z.int().min(1).max(10_000_000)

export const entraSettingsSchema = z
  .strictObject({
    tenant: guid.describe('Directory (tenant) id.'),
    clientId: guid.describe('Application (client) id.'),
    credential,
    cloud: z
      .union([
        z.enum(cloudNames),
        z.strictObject({ graph: origin, authority: origin }).describe('A cloud that is not listed, or a simulator.'),
      ])
      .default('global'),
    correlation: z
      .string()
      .refine(isCorrelation, 'must be employeeId, a directory extension or an onPremisesExtensionAttribute')
      .default('employeeId')
      .describe('The property that holds the person key.'),
    alternatives: alternativesBy(
      z.enum(['userPrincipalName', 'mail', 'mailNickname', 'employeeId']),
      z.string().refine((name) => shapeOf(name) !== null, 'not a property of a user'),
    ),
    account: z
      .strictObject({
        userPrincipalName: template
          .optional()
          .describe(
            'Of a created account, e.g. {username}@contoso.com; never changed later. Needed with accounts: create.',
          ),
        mailNickname: template.default('{username}'),
        attributes: z
          .record(z.string(), z.union([template, z.array(template).min(1)]))
          .default({ displayName: '{displayName|username}' })
          .describe(
            'Property → template, or a list of templates for one with several values. Left out: displayName with accounts: create, none with accounts: expect.',
          ),
      })
      .superRefine(({ attributes }, context) => {
        for (const [name, value] of Object.entries(attributes)) {
          if (shapeOf(name) === null)
            context.addIssue({
              code: 'custom',
              path: ['attributes', name],
              message: 'not a property of a user that Muster may set',
            })
          else if (Array.isArray(value) && shapeOf(name) !== 'texts')
            context.addIssue({ code: 'custom', path: ['attributes', name], message: 'has one value only' })
        }
      })
      .prefault({}),
    roleAssignableGroups: z
      .boolean()
      .default(false)
      .describe('Whether members of groups that can hold directory roles may be changed.'),
    hiddenMembershipGroups: z
      .boolean()
      .default(false)
      .describe('Whether groups with hidden membership may be read and changed: needs Member.Read.Hidden.'),
    tenantSize: z
      .enum(['small', 'medium', 'large'])
      .default('small')
      .describe('Fewer than 50 users, up to 500, more: decides what Graph allows.'),
    limits: z
      .strictObject({
        resourceUnitsPer10s: limit.optional(),
        writesPer150s: limit.optional(),
        requestsAtOnce: z.int().min(1).max(64).default(8),
      })
      .prefault({})
      .describe('Where Graph allows other rates than the documented ones.'),
    settle: z
      .strictObject({
        ms: z.int().min(0).max(3_600_000).default(120_000).describe('So long a read may not yet show a write.'),
        confirmations: z.int().min(1).max(10).default(2).describe('Reads in a row that must show it.'),
        pollMs: z
          .int()
          .min(10)
          .max(600_000)
          .default(2_000)
          .describe('Between two looks at a change that is not seen yet.'),
      })
      .prefault({}),
    timeouts: z.strictObject({ requestMs: z.int().min(10).max(600_000).default(30_000) }).prefault({}),
  })
  .superRefine((value, context) => {
    if (Object.hasOwn(value.account.attributes, value.correlation))
      context.addIssue({
        code: 'custom',
        path: ['account', 'attributes', value.correlation],
        message: 'is the correlation property and is set by the connector',
      })
    checkAlternatives(value, context)
  })

export type EntraSettings = z.output<typeof entraSettingsSchema>
