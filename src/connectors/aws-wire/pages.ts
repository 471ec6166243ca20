import { failed, ok, type Result } from './errors.ts'

export type Page<T> = { readonly items: readonly T[]; readonly next: string | undefined }

/**
 * Every page to the last. A token that was there before, or an empty one, would read the same page for ever or stop too
 * early: then nothing was read.
 */
export const readPages = async <T>(
  read: (token: string | undefined) => Promise<Result<Page<T>>>,
  /** false: enough; the rest is not read. */
  more: (items: readonly T[], pages: number) => boolean = () => true,
): Promise<Result<{ readonly items: readonly T[]; readonly complete: boolean }>> => {
  const items: T[] = []
  const seen = new Set<string>()
  let token: string | undefined
  for (let pages = 1; ; pages += 1) {
    const page = await read(token)
    if (!page.ok) return page
    items.push(...page.value.items)
    const isEnough = !more(items, pages)
    token = page.value.next
    if (token === undefined) return ok({ items, complete: true })
    if (token === '' || seen.has(token))
      return failed({ code: '', word: 'repeated-token', verdict: { kind: 'retry' }, sent: 'answered' })
    seen.add(token)
    if (isEnough) return ok({ items, complete: false })
  }
}

export const readAllPages = async <T>(
  read: (token: string | undefined) => Promise<Result<Page<T>>>,
): Promise<Result<readonly T[]>> => {
  const all = await readPages(read)
  return all.ok ? ok(all.value.items) : all
}
