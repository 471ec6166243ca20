import { z } from 'zod'

/** What a `pending` outcome carries to its poll: ids only, nothing personal. */
const schema = z.discriminatedUnion('kind', [
  /** A request of sso-admin, and the places that it holds in the budget. */
  z.strictObject({ kind: z.enum(['creation', 'deletion']), request: z.string(), place: z.string() }),
  /** Made, and not shown by a read yet. */
  z.strictObject({ kind: z.literal('settling'), until: z.number() }),
  /** Permission sets that are being provisioned. */
  z.strictObject({ kind: z.literal('provisioning'), requests: z.array(z.string()) }),
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
