import { z } from 'zod'

/** What a `pending` outcome carries to its poll: until when «not shown» means «not yet». */
const schema = z.strictObject({ until: z.number() })
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
