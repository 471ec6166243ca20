import type { Office } from '../app/office.ts'
import { explainAccess } from '../engine/explain-access.ts'
import { createPolicyBook } from '../engine/policy-book.ts'
import { explanationLines } from '../policies/explain-text.ts'
import type { Command } from './command.ts'
import { failure, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { counted } from './counted.ts'
import { findingHints } from './finding-hints.ts'
import { heldLines, heldSummary } from './held-summary.ts'
import { entitlementNames, personKeys } from './names.ts'
import { pairLines, printable, section, tableLines } from './table.ts'

const idOf = (words: readonly string[], what: string): bigint => {
  const [written] = words
  if (written === undefined || !/^\d{1,18}$/.test(written) || words.length > 1)
    throw usage(`which ${what}?`, `usage: muster show ${what} ID`)
  return BigInt(written)
}

/**
 * What was found about an action, with what the target said (our word, its own code) and what to do. A prepared `todo` is whole
 * on a line of its own: it is copied from there.
 */
const findingLines = ({ kind, detail }: { readonly kind: string; readonly detail: unknown }): readonly string[] => {
  const { todo, word, code } = (detail ?? {}) as { readonly [name in 'todo' | 'word' | 'code']?: unknown }
  const said = [
    ...(typeof word === 'string' ? [word] : []),
    ...(typeof code === 'string' && code !== '' ? [`code ${code}`] : []),
  ]
  const hint = findingHints[kind]
  return [
    `${kind}${said.length === 0 ? '' : ` (${said.join(', ')})`}${hint === undefined || typeof todo === 'string' ? '' : `: ${hint}`}`,
    ...(typeof todo === 'string' ? [printable(todo)] : []),
  ]
}

export const showAction: Command = {
  summary: 'an action: what, for whom, why, and how far it is',
  usage: 'show action ID',
  run: (call) => {
    const id = idOf(call.words, 'action')
    return inOffice(call, async ({ prisma }) => {
      const action = await prisma.action.findUnique({ where: { id } })
      if (action === null)
        throw failure(`there is no action ${id}`, '`muster audit log PERSON` names the actions of a person')
      const people = await personKeys(prisma, [action.identityId])
      const names = await entitlementNames(prisma, [action.entitlementId, ...action.afterRevokeOf])
      const findings = await prisma.finding.findMany({
        where: {
          closedAt: null,
          OR: [
            { key: `action:${id}` },
            // One of a person on a target, which names the action that waits for it.
            {
              kind: 'account-ambiguous',
              identityId: action.identityId,
              detail: { path: ['action'], equals: Number(id) },
            },
          ],
        },
      })
      const json = {
        ...action,
        findings,
        person: people.get(action.identityId) ?? null,
        entitlement: names.get(action.entitlementId) ?? null,
        waitsForRevokeOf: action.afterRevokeOf.map((one) => names.get(one) ?? String(one)),
      }
      return {
        json,
        lines: (paint) => [
          ...pairLines(paint, [
            ['action', id],
            ['does', `${action.kind}${json.entitlement === null ? '' : ` ${json.entitlement}`} on ${action.target}`],
            ['person', json.person],
            [
              'state',
              `${action.state}${action.unknown ? ', last result unknown' : ''}${action.guardReleased ? ', released past the guard' : ''}`,
            ],
            ['lane', action.lane],
            ['reason', JSON.stringify(action.reason)],
            ['cause', action.cause === null ? null : JSON.stringify(action.cause)],
            ['decision', action.decisionId],
            ['plan version', action.planVersion],
            ['dispatch', action.dispatchId],
            ['waits for revoke of', json.waitsForRevokeOf.join(', ')],
            ['attempts', action.attempts],
            ['last outcome', action.outcome],
            ['created', action.createdAt],
            ['not before', action.nextAt],
            ['deadline', action.deadline],
            ['dispatched', action.dispatchedAt],
            ['ended', action.doneAt],
          ]),
          ...section(paint, 'to be looked at', findings.flatMap(findingLines)),
        ],
      }
    })
  },
}

export const showDispatch: Command = {
  summary: 'a dispatch: a batch of actions sent as one job',
  usage: 'show dispatch ID',
  run: (call) => {
    const id = idOf(call.words, 'dispatch')
    return inOffice(call, async ({ prisma }) => {
      const dispatch = await prisma.dispatch.findUnique({ where: { id }, omit: { leaseToken: true } })
      if (dispatch === null)
        throw failure(`there is no dispatch ${id}`, '`muster audit log PERSON` names the dispatches of a person')
      const actions = await prisma.action.findMany({
        where: { id: { in: dispatch.actions }, dispatchId: id },
        orderBy: { id: 'asc' },
      })
      const people = await personKeys(
        prisma,
        actions.map(({ identityId }) => identityId),
      )
      const names = await entitlementNames(prisma, [
        dispatch.entitlementId,
        ...actions.map(({ entitlementId }) => entitlementId),
      ])
      const rows = actions.map((action) => ({
        id: action.id,
        kind: action.kind,
        person: people.get(action.identityId) ?? null,
        entitlement: names.get(action.entitlementId) ?? null,
        state: action.state,
        outcome: action.outcome,
      }))
      return {
        json: { ...dispatch, entitlement: names.get(dispatch.entitlementId) ?? null, actions: rows },
        lines: (paint) => [
          ...pairLines(paint, [
            ['dispatch', id],
            ['target', dispatch.target],
            ['lane', dispatch.lane],
            [
              'does',
              `${dispatch.kind ?? 'several kinds'}${dispatch.entitlementId === null ? '' : ` of ${names.get(dispatch.entitlementId)}`}, ${counted(dispatch.size, 'action')}`,
            ],
            ['state', dispatch.state],
            ['queued', counted(dispatch.queueNo, 'time')],
            ['created', dispatch.createdAt],
            ['claimed', dispatch.claimedAt],
            ['lease until', dispatch.state === 'claimed' ? dispatch.leaseUntil : null],
            ['done', dispatch.doneAt],
          ]),
          ...section(
            paint,
            'actions that are (still) in it',
            rows.length === 0
              ? []
              : tableLines(
                  paint,
                  ['action', 'kind', 'person', 'entitlement', 'state', 'outcome'],
                  rows.map((row) => [row.id, row.kind, row.person, row.entitlement, row.state, row.outcome]),
                ),
          ),
        ],
      }
    })
  },
}

/** The derivation that `muster why` prints: rules, roles, and what it conflicts with. */
const whyWanted = async (
  db: Office['db'],
  person: string | null,
  entitlement: string | null,
): Promise<readonly string[]> => {
  if (person === null || entitlement === null) return []
  const told = await explainAccess(db, createPolicyBook(), person, entitlement, null)
  return told.kind === 'explained' ? explanationLines(told.explanation) : []
}

const whatToDo = (hold: bigint): readonly string[] => [
  'take one side away, in the policies or with HR: the hold closes by itself',
  'or write an exception (approver, reason, control, expiry) into policies/, then `muster policy apply`',
  `or deny it: \`muster hold reject ${hold} --reason TEXT\``,
]

type GuardDetail = { readonly count?: number; readonly allowed?: number }

/** What tripped a guard; of a conflict of duties there is nothing. */
const guardText = ({ count, allowed }: GuardDetail): string | null =>
  count === undefined ? null : `${count} in one window of the guard, ${allowed ?? 0} allowed`

export const showHold: Command = {
  summary: 'a hold: what waits, for whom, because of what',
  usage: 'show hold ID',
  run: (call) => {
    const id = idOf(call.words, 'hold')
    return inOffice(call, async ({ db, prisma }) => {
      const hold = await prisma.hold.findUnique({ where: { id } })
      if (hold === null) throw failure(`there is no hold ${id}`, '`muster hold list --all` shows every hold')
      const people = await personKeys(prisma, [hold.identityId])
      const names = await entitlementNames(prisma, [hold.entitlementId, ...hold.conflictsWith])
      const { reasons: refs, ...detail } = hold.detail as GuardDetail & { readonly reasons?: readonly string[] }
      const said = await prisma.personalDetail.findMany({
        where: { ref: { in: [...(refs ?? [])] } },
        orderBy: { recordedAt: 'asc' },
      })
      const reasons = said.map(({ body }) => String((body as { readonly reason?: unknown }).reason ?? ''))
      const person = people.get(hold.identityId) ?? null
      const entitlement = names.get(hold.entitlementId) ?? null
      const json = {
        ...hold,
        detail,
        reasons,
        person,
        entitlement,
        conflictsWith: hold.conflictsWith.map((one) => names.get(one) ?? String(one)),
        wanted: hold.kind === 'sod' && hold.closedAs === null ? await whyWanted(db, person, entitlement) : [],
        holds: hold.kind === 'guard' && hold.closedAs === null ? await heldSummary({ db, prisma }, hold) : null,
      }
      return {
        json,
        lines: (paint) => [
          ...pairLines(paint, [
            ['hold', `${id}, ${hold.kind}`],
            ['state', hold.closedAs === null ? 'open' : `${hold.closedAs} by ${hold.closedBy}`],
            ['person', json.person],
            ['entitlement', json.entitlement],
            ['target', hold.target],
            ['holds every', hold.actionKind],
            ['because of', hold.policies.join(', ')],
            ['conflicts with', json.conflictsWith.join(', ')],
            ['counted', guardText(detail)],
            ...reasons.map((reason) => ['because', reason] as const),
            ['since', hold.openedAt],
            ['closed', hold.closedAt],
          ]),
          ...section(paint, 'why it is wanted', json.wanted.map(printable)),
          ...(hold.kind === 'sod' && hold.closedAs === null ? section(paint, 'what to do', whatToDo(id)) : []),
          ...(json.holds === null ? [] : heldLines(paint, json.holds)),
        ],
      }
    })
  },
}
