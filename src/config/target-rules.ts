/** What one target must not say, whatever its parts allow by themselves. Each connector says what is so of its type. */
import type { z } from 'zod'
import { settingsOf, type TypeName, typeOf } from '../connectors/registry.ts'

type Target = { readonly id: string; readonly type: TypeName }

/** What would never happen is not taken for an order. */
export const nothingToDelete = (
  items: readonly (Target & { readonly leaver: { readonly deleteAfter: number | null } })[],
  context: z.RefinementCtx,
) => {
  items.forEach((item, index) => {
    const why = typeOf(item).nothingToDelete
    if (why !== null && item.leaver.deleteAfter !== null)
      context.addIssue({ code: 'custom', path: [index, 'leaver', 'deleteAfter'], message: `must be null: ${why}` })
  })
}

/** What a created account cannot be without; who only finds accounts need not say it. */
export const createdByName = (
  items: readonly (Target & { readonly accounts: 'create' | 'expect' })[],
  context: z.RefinementCtx,
) => {
  items.forEach((item, index) => {
    if (item.accounts !== 'create') return
    const { member, missingToCreate } = typeOf(item)
    for (const { path, message } of missingToCreate(settingsOf(item)))
      context.addIssue({ code: 'custom', path: [index, member, ...path], message })
  })
}

/** Two targets of a type that would undo each other's work. */
export const apartFromOthers = (items: readonly Target[], context: z.RefinementCtx) => {
  items.forEach((item, index) => {
    const { member, clash } = typeOf(item)
    const problem = items
      .slice(0, index)
      .filter(({ type }) => type === item.type)
      .map((before) => clash(settingsOf(item), { id: before.id, settings: settingsOf(before) }))
      .find((one) => one !== null)
    if (problem !== undefined)
      context.addIssue({ code: 'custom', path: [index, member, ...problem.path], message: problem.message })
  })
}

export const protectedByNativeId = (
  items: readonly (Target & { readonly protect: { readonly accounts: readonly string[] } })[],
  context: z.RefinementCtx,
) => {
  items.forEach((item, index) => {
    const { form, is } = typeOf(item).accountIds
    item.protect.accounts.forEach((account, at) => {
      if (!form.test(account))
        context.addIssue({
          code: 'custom',
          path: [index, 'protect', 'accounts', at],
          message: `is no native id there (${is}): it would protect nobody`,
        })
    })
  })
}
