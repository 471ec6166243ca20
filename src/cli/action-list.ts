import type { Office } from '../app/office.ts'
import { linksOf } from '../engine/link.ts'
import { reasonText } from '../planning/print.ts'
import type { Command } from './command.ts'
import { usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { counted } from './counted.ts'
import { linksMissing } from './links-missing.ts'
import { entitlementNames, personKeys } from './names.ts'
import type { Paint } from './paint.ts'
import { section, tableLines } from './table.ts'
import { targetNamed } from './target-named.ts'

/** At most so many actions are told of people; the summary counts all. */
const named = 100

export const actionList: Command = {
  summary: 'what is to happen on a target and is not done: how much of what, and to whom',
  usage: 'action list TARGET',
  run: (call) => {
    const [target, ...more] = call.words
    if (target === undefined || more.length > 0)
      throw usage('on which target?', 'usage: muster action list TARGET; `muster target list` shows them')
    targetNamed(call, target)
    return inOffice(call, async (office) => {
      const listed = { target, ...(await openActions(office, target)) }
      return { json: listed, lines: (paint) => listLines(paint, listed) }
    })
  },
}

type Listed = { readonly target: string } & Awaited<ReturnType<typeof openActions>>

const openActions = async ({ db, prisma }: Office, target: string) => {
  const known = await prisma.target.findUnique({ where: { id: target } })
  const actions = await prisma.action.findMany({ where: { target, open: true }, orderBy: { id: 'asc' } })
  const names = await entitlementNames(prisma, [...new Set(actions.map(({ entitlementId }) => entitlementId))])
  const people = await personKeys(prisma, [...new Set(actions.map(({ identityId }) => identityId))])
  return {
    mode: known?.mode ?? null,
    ...(await linksOf(db, target)),
    actions: actions.map(({ id, kind, state, entitlementId, identityId, reason }) => ({
      action: id,
      kind,
      state,
      entitlement: names.get(entitlementId) ?? null,
      person: people.get(identityId) ?? null,
      reason,
    })),
  }
}

const listLines = (paint: Paint, listed: Listed): readonly string[] => {
  const { target, mode, actions } = listed
  if (mode === null) return [`Muster was never started with ${target}: start \`muster serve\` once`]
  if (actions.length === 0)
    return [
      `${target} is in mode ${mode}: ${mode === 'observe' ? 'nothing is planned in it' : 'nothing is to be done'}`,
      ...linksMissing(listed),
    ]
  const alike = Map.groupBy(actions, ({ kind, entitlement, state }) => `${kind} ${entitlement} ${state}`)
  return [
    ...tableLines(
      paint,
      ['actions', 'what', 'entitlement', 'state'],
      [...alike.values()]
        .sort((a, b) => b.length - a.length)
        .map((some) => [some.length, some[0]?.kind, some[0]?.entitlement, some[0]?.state]),
    ),
    ...section(
      paint,
      actions.length > named ? `people (the first ${named} actions of ${actions.length}: --json has all)` : 'people',
      tableLines(
        paint,
        ['action', 'person', 'what', 'entitlement', 'because'],
        actions
          .slice(0, named)
          .map(({ action, person, kind, entitlement, reason }) => [
            action,
            person,
            kind,
            entitlement,
            reasonText(reason as Parameters<typeof reasonText>[0]),
          ]),
      ),
    ),
    '',
    `${counted(actions.length, 'action')} on ${target}, in mode ${mode}${mode === 'enforce' ? '' : ': none is sent'}`,
    ...(actions.some(({ kind }) => kind === 'ensureAccount')
      ? ['which attributes an ensureAccount writes is known only once the account is read, right before']
      : []),
    ...linksMissing(listed),
  ]
}
