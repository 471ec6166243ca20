/** The recycle bin: users and Microsoft 365 groups, for 30 days. */
import { type Answer, noContent } from './answer.ts'
import { type Context, type Decision, may, refuse } from './context.ts'
import { lookUp } from './directory.ts'
import type { Change, Deleted } from './entry.ts'
import { denied, notFound, taken } from './errors.ts'
import { pageOf } from './page.ts'
import { permissions } from './permissions.ts'
import { metadataOf, odataTypeOf, project, selected } from './projection.ts'
import { spellingOf } from './schema/schema.ts'

const keptForMs = 30 * 24 * 3_600_000

export const listDeleted = (context: Context): Answer =>
  pageOf(context, {
    rows: context.read.lists.deleted,
    kind: context.path.type === 'microsoft.graph.group' ? 'group' : 'user',
    entryOf: (id) => {
      const kept = context.read.deleted.get(id)
      return kept === undefined || isOver(context, kept) ? undefined : shown(kept)
    },
    collection: context.path.type === 'microsoft.graph.group' ? 'groups' : 'users',
    defaultPage: 100,
  })

export const getDeleted = (context: Context): Answer => {
  const kept = found(context)
  if (kept === undefined) return notFound(context.path.id ?? '')
  const { select } = context.query
  return { status: 200, body: bodyOf(context, kept, select) }
}

/** 200 with the object. Its links come back with it, as far as the groups are still there. */
export const restore = (context: Context): Decision => {
  const kept = found(context)
  if (kept === undefined) return refuse(notFound(context.path.id ?? ''))
  if (!may(context.caller, ...(kept.entry.kind === 'user' ? permissions.deleteUsers : permissions.writeGroups)))
    return refuse(denied())
  if (kept.entry.hidden.privileged === true && !context.caller.mayWriteAdministrators) return refuse(denied())
  const { primary } = context.store
  if (
    kept.entry.kind === 'user' &&
    lookUp(primary, 'userPrincipalName', kept.entry.properties.userPrincipalName).size > 0
  )
    return refuse(taken('userPrincipalName'))
  const id = kept.entry.id
  return {
    answer: { status: 200, body: bodyOf(context, { ...kept, deletedDateTime: '' }, null) },
    changes: [
      { kind: 'restore', entry: kept.entry },
      ...kept.memberOf
        .filter((group) => primary.entries.has(group))
        .map((group): Change => ({ kind: 'join', group, member: id })),
      ...kept.members
        .filter((member) => primary.entries.has(member))
        .map((member): Change => ({ kind: 'join', group: id, member })),
    ],
  }
}

export const purge = (context: Context): Decision => {
  const kept = found(context)
  if (kept === undefined) return refuse(notFound(context.path.id ?? ''))
  if (!may(context.caller, ...(kept.entry.kind === 'user' ? permissions.deleteUsers : permissions.writeGroups)))
    return refuse(denied())
  return { answer: noContent, changes: [{ kind: 'purge', id: kept.entry.id, type: kept.entry.kind }] }
}

const isOver = ({ epochMs }: Context, { deletedDateTime }: Deleted) =>
  Date.parse(deletedDateTime) + keptForMs <= epochMs

const found = (context: Context): Deleted | undefined => {
  const kept = context.store.primary.deleted.get((context.path.id ?? '').toLowerCase())
  return kept === undefined || isOver(context, kept) ? undefined : kept
}

const shown = ({ entry, deletedDateTime }: Deleted): Deleted['entry'] =>
  entry.kind === 'user'
    ? { ...entry, properties: { ...entry.properties, deletedDateTime: deletedDateTime || null } }
    : { ...entry, properties: { ...entry.properties, deletedDateTime: deletedDateTime || null } }

const bodyOf = (context: Context, kept: Deleted, select: readonly string[] | null) => ({
  '@odata.context': metadataOf(context.origin, `directoryObjects${selected(select)}/$entity`),
  '@odata.type': odataTypeOf(kept.entry.kind),
  ...project(shown(kept), select, spellingOf),
})
