import { z } from 'zod'

/** What a `pending` outcome carries to its poll. */
const schema = z.strictObject({
  /** Until then «not shown» means «not yet». */
  until: z.number(),
  /** What the change asked for beside itself and did not bring about, whatever a read shows of the change. */
  unfinished: z.array(z.strictObject({ code: z.string(), word: z.string() })).optional(),
})
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
