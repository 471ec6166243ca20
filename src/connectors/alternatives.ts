import { z } from 'zod'
import { fillWhole, type MappedAttributes, type Worker } from './attribute-mapping.ts'
import { placeholder, template } from './template.ts'

const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()
const isOfWorker = (text: string): boolean => text.search(placeholder) >= 0

/** An account found by another property is taken only if no other person key stands on it and all of `verify` agree. */
export type Alternative = {
  readonly property: string
  readonly template: string
  readonly compare: 'exact' | 'ignoreCase'
  readonly verify: Readonly<Record<string, string>>
}

/** `property`: by which a target can be searched. `verified`: which of an account's it shows. */
export const alternativesBy = (property: z.ZodType<string>, verified: z.ZodType<string, string>) =>
  z
    .array(
      z
        .strictObject({
          property,
          template: template
            .refine(isOfWorker, 'names no worker attribute: everybody would be the same one')
            .describe('What it must be, e.g. {workEmail}. Whoever lacks a part of it is not looked for by it.'),
          compare: z
            .enum(['exact', 'ignoreCase'])
            .default('ignoreCase')
            .describe(
              'How the values are compared, of `property` and of `verify`, whatever the directory takes for equal.',
            ),
          verify: z
            .record(verified, template)
            .refine(
              (checks) => Object.values(checks).some(isOfWorker),
              'names are given again to others: name what must agree',
            ),
        })
        .superRefine(({ property, verify }, context) => {
          for (const name of Object.keys(verify).filter((one) => isSame(one, property)))
            context.addIssue({
              code: 'custom',
              path: ['verify', name],
              message: 'is the property itself, and proves nothing',
            })
        }),
    )
    .max(5)
    .default([])
    .describe('Tried in this order when nobody has the person key.')

/** Whoever has a person key is found by it, or is somebody else: no alternative can go by that attribute. */
export const checkAlternatives = (
  { correlation, alternatives }: { readonly correlation: string; readonly alternatives: readonly Alternative[] },
  context: z.RefinementCtx,
): void => {
  for (const [at, { property, verify }] of alternatives.entries()) {
    const places = [
      ...(isSame(property, correlation) ? [['property']] : []),
      ...Object.keys(verify).flatMap((name) => (isSame(name, correlation) ? [['verify', name]] : [])),
    ]
    for (const place of places)
      context.addIssue({ code: 'custom', path: ['alternatives', at, ...place], message: 'is the correlation itself' })
  }
}

/** Properties of an account that an alternative looks at. */
export const propertiesOf = ({ property, verify }: Alternative): readonly string[] => [property, ...Object.keys(verify)]

/** What these alternatives would look for: another value is another chance for whoever was not found, or not for certain. */
export const lookUps = (alternatives: readonly Alternative[], worker: Worker): MappedAttributes =>
  new Map(
    alternatives.flatMap(({ property, template, compare, verify }, at) =>
      Object.entries({ [property]: template, ...verify }).map(
        ([name, text]) => [`alternative ${at} ${compare} ${name}`, [fillWhole(text, worker) ?? '']] as const,
      ),
    ),
  )
