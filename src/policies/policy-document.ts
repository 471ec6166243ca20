import { z } from 'zod'
import { driftPolicies } from '../domain/drift.ts'
import { risks } from '../domain/risk.ts'

/**
 * What one policy file may say. All files of the policy directory are read together: any section may stand in any
 * file, in any split, and a key may be defined once only.
 */
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/, 'a key is letters, digits and _ . : - and begins with a letter or digit')
const text = z.string().trim().min(1)

const names = (what: string) => z.array(name).min(1).optional().describe(what)
const bundle = {
  roles: names('Keys of roles: everything that they bundle.'),
  entitlements: names('Keys of entitlements.'),
}

export const entitlementEntry = z
  .strictObject({
    target: name.describe('The target that it is granted on, as named in muster.yaml.'),
    lookup: text.describe('How the target names it, e.g. the DN of an LDAP group.'),
    risk: z.enum(risks),
    owner: text.describe('Person key or team that answers for it.'),
    description: text.describe('What somebody who holds it can do, for those who must judge that.'),
    drift: z
      .enum(driftPolicies)
      .optional()
      .describe(
        'When somebody was let in or taken out behind Muster: report makes a finding (default), revert makes it right again, adopt lets whoever was let in keep it until a human ends that (and reports who was taken out).',
      ),
    protected: z.boolean().optional().describe('Kept when a leaver loses everything else. Default false.'),
  })
  .describe(
    'Something grantable on a target. Being listed here makes it managed: who should hold it is decided by policy alone.',
  )

export const roleEntry = z
  .strictObject({ description: text.optional(), ...bundle })
  .describe('A named bundle of entitlements and of other roles.')

const scalar = z.union([z.string(), z.number(), z.boolean()])
const oneOrMore = z.union([scalar, z.array(scalar).min(1)])
const prefix = z.string().min(1)
export const conditionEntry = z
  .union([
    scalar.describe('The attribute is exactly this.'),
    z.array(scalar).min(1).describe('The attribute is one of these.'),
    z
      .strictObject({
        in: oneOrMore.optional().describe('The attribute is (one of) this.'),
        not: z
          .union([oneOrMore, z.strictObject({ prefix })])
          .optional()
          .describe('The attribute is there and is not (any of) this, or does not begin with the prefix.'),
        prefix: prefix.optional().describe('The attribute begins with this.'),
        exists: z.boolean().optional().describe('true: the attribute has some value. false: it is absent.'),
      })
      .describe('All of the given must hold.'),
  ])
  .describe('An absent attribute satisfies `exists: false` and nothing else, not even `not`.')

export const ruleEntry = z
  .strictObject({
    description: text.optional(),
    when: z
      .union([z.literal('everyone'), z.record(z.string(), conditionEntry)])
      .describe('Attribute → condition, all of one and the same employment; or `everyone`.'),
    cel: text
      .optional()
      .describe(
        'A further condition in CEL over `worker`, e.g. `int(worker.jobLevel) >= 5`. If it fails on a worker, nothing is given.',
      ),
    grants: z.strictObject(bundle),
  })
  .describe(
    'Birthright: held without a request for as long as an employment that gives access (active, leave, suspended) matches.',
  )

const pattern = text
  .refine((written) => written.split('*').length === 2, 'needs one *, which stands for the part that both names share')
  .meta({ pattern: '^[^*]*\\*[^*]*$' })
const namedAlike = z.strictObject({
  target: name.describe('The target, as named in muster.yaml.'),
  key: pattern.optional().describe('Entitlements whose key reads so, e.g. `Sso_*`. Either this or `lookup`.'),
  lookup: pattern
    .optional()
    .describe('Entitlements whose lookup reads so, e.g. `group/sso-*`; upper and lower case are the same.'),
})

export const implicationEntry = z
  .strictObject({
    description: text.optional(),
    holds: name.optional().describe('Key of an entitlement. Goes with `grants`.'),
    grants: z
      .strictObject(bundle)
      .optional()
      .describe('What whoever should hold `holds` should hold as well, and for as long.'),
    mirrors: z
      .strictObject({
        from: namedAlike,
        to: namedAlike.describe('The * stands for the same text as in `from`.'),
        except: names('Keys of entitlements of `from` that have no counterpart and need none.'),
      })
      .optional()
      .describe(
        'In place of `holds` and `grants`: each entitlement of `from` implies the one of the same name of `to`.',
      ),
  })
  .describe('Whoever should hold one entitlement should hold another, for as long and for no other reason.')

export const sodEntry = z
  .strictObject({
    description: text.describe('The harm that one person could do.'),
    severity: z.enum(risks),
    atLeast: z
      .int()
      .min(2)
      .optional()
      .describe('Broken when something of this many sides comes together. Default: of all sides.'),
    sides: z
      .array(
        z.strictObject({
          name: name.optional().describe('Default: the key of its only entitlement or role.'),
          ...bundle,
        }),
      )
      .min(2),
  })
  .describe('A conflict of duties. Two lists are two sides; k of n entitlements are n sides of one and `atLeast: k`.')

export const exceptionEntry = z
  .strictObject({
    person: text.describe('Person key.'),
    policy: name.describe('Key of the SoD policy whose breach is accepted.'),
    approver: text.describe('Person key of who accepted it; never the person.'),
    reason: text,
    control: text.describe('The compensating control: what is watched instead, and by whom.'),
    from: text.describe('RFC 3339 moment with its zone, e.g. 2026-12-01T00:00:00Z.'),
    expires: text.describe('RFC 3339 moment; from then on the exception is dead.'),
  })
  .describe('An approved acceptance of one breach by one person until it expires.')

/** Section → what each of its entries is. */
export const sections = {
  entitlements: entitlementEntry,
  roles: roleEntry,
  birthright: ruleEntry,
  implications: implicationEntry,
  sod: sodEntry,
  exceptions: exceptionEntry,
} as const
export type Section = keyof typeof sections
export const sectionNames = Object.keys(sections) as readonly Section[]

export const entryKey = name

export const policyDocument = z
  .strictObject({
    entitlements: z.record(name, entitlementEntry).optional(),
    roles: z.record(name, roleEntry).optional(),
    birthright: z.record(name, ruleEntry).optional(),
    implications: z.record(name, implicationEntry).optional(),
    sod: z.record(name, sodEntry).optional(),
    exceptions: z.record(name, exceptionEntry).optional(),
  })
  .describe('A Muster policy file. All files of the policy directory are read together.')
