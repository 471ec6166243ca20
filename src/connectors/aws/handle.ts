import { z } from 'zod'

/** What a `pending` outcome carries to its poll: ids only, nothing personal. */
const schema = z.discriminatedUnion('kind', [
  /** A request of sso-admin, the places that it holds in the budget, and when it began, ms since 1970: by when it may be over. */
  z.strictObject({
    kind: z.enum(['creation', 'deletion']),
    request: z.string(),
    place: z.string(),
    begun: z.number().optional(),
  }),
  /** Made, and not shown by a read yet. */
  z.strictObject({ kind: z.literal('settling'), until: z.number() }),
  /** Sessions begun by `at` end: the permission sets that deny them, and the request that provisions each (null: it is so already). */
  z.strictObject({
    kind: z.literal('provisioning'),
    at: z.number(),
    sets: z.array(z.strictObject({ arn: z.string(), request: z.string().nullable() })),
  }),
])
export type Handle = z.output<typeof schema>

export const writeHandle = (handle: Handle): string => JSON.stringify(handle)

/** null: not one of ours. */
export const readHandle = (text: string): Handle | null => {
  try {
    const parsed = schema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}
