import { z } from 'zod'

/** How every AWS connector is reached and signs. */
const roleArn = z.string().regex(/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/, 'not the ARN of a role')
export const credentials = z
  .discriminatedUnion('from', [
    /** The SDK's own search: environment, shared files, container, instance. */
    z.strictObject({ from: z.literal('default') }),
    z.strictObject({
      from: z.literal('keys'),
      accessKeyId: z.string().min(1),
      secretAccessKey: z.string().min(1),
      sessionToken: z.string().min(1).optional(),
    }),
    /** A token of an identity provider, read from its file each time. */
    z.strictObject({
      from: z.literal('webIdentity'),
      roleArn,
      tokenFile: z.string().min(1),
      sessionName: z
        .string()
        .regex(/^[\w+=,.@-]{2,64}$/)
        .default('muster'),
    }),
  ])
  .default({ from: 'default' })

/** Instead of AWS's own: a VPC endpoint, a proxy, a simulator. */
export const endpoint = z.url({ protocol: /^https?$/ }).optional()

export const timeouts = z
  .strictObject({
    connectMs: z.number().int().min(10).max(60_000).default(3_000),
    requestMs: z.number().int().min(10).max(120_000).default(10_000),
  })
  .prefault({})

export type WireSettings = {
  readonly region: string
  readonly credentials: z.output<typeof credentials>
  readonly endpoint?: z.output<typeof endpoint>
  readonly timeouts: z.output<typeof timeouts>
}

/** Of `credentials`, whichever service it signs for. */
export const credentialSecrets = [
  ['credentials', 'secretAccessKey'],
  ['credentials', 'sessionToken'],
] as const
export const credentialFiles = [['credentials', 'tokenFile']] as const

/** Chosen, and worth knowing: it is the default, since the name that a Deny goes by must first be known to be the person's. */
export const sessionsLeft = (page: string, sessions: 'none' | 'deny-inline-policy'): readonly string[] =>
  sessions === 'none'
    ? [
        `sessions: none: live role sessions of a leaver run out by themselves, up to 12 hours later; deny-inline-policy ends them (docs/connectors/${page}.md)`,
      ]
    : []
