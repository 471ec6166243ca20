import type { Command } from './command.ts'
import { failure, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { entitlementNames } from './names.ts'
import { pairLines, section, tableLines, timeText } from './table.ts'

type StoredAssignment = {
  readonly e: number
  readonly from: number
  readonly to: number | null
  readonly reasons: readonly {
    readonly kind: string
    readonly rule?: string
    readonly implication?: string
    readonly exception?: string
  }[]
}

export const showIdentity: Command = {
  summary: 'a person: state, accounts, what they should and do hold, what is open',
  usage: 'show identity PERSON',
  run: (call) => {
    const [person] = call.words
    if (person === undefined || call.words.length > 1)
      throw usage('which person?', 'usage: muster show identity PERSON (the personKey of HR)')
    return inOffice(call, async ({ prisma }) => {
      const identity = await prisma.identity.findUnique({ where: { personKey: person } })
      if (identity === null)
        throw failure(
          'nobody with that person key has been heard of',
          'quarantined events name nobody: `muster quarantine list`',
        )
      const [accounts, desired, actions, holds, findings] = await Promise.all([
        prisma.account.findMany({ where: { identityId: identity.id, unlinkedAt: null }, orderBy: { target: 'asc' } }),
        // recorded_to may be infinity, which Prisma cannot read.
        prisma.desired.findFirst({
          where: { identityId: identity.id },
          orderBy: { recordedFrom: 'desc' },
          select: { assignments: true },
        }),
        prisma.action.findMany({
          where: { identityId: identity.id, open: true },
          orderBy: { id: 'asc' },
        }),
        prisma.hold.findMany({
          where: { identityId: identity.id, OR: [{ closedAt: null }, { closedAs: 'rejected' }] },
          orderBy: { id: 'asc' },
        }),
        prisma.finding.findMany({ where: { identityId: identity.id, closedAt: null } }),
      ])
      const grants = await prisma.grant.findMany({
        where: { accountId: { in: accounts.map(({ id }) => id) }, goneVerifiedAt: null },
        orderBy: { entitlementId: 'asc' },
      })
      const assignments = (desired?.assignments ?? []) as unknown as readonly StoredAssignment[]
      const names = await entitlementNames(prisma, [
        ...grants.map(({ entitlementId }) => entitlementId),
        ...assignments.map(({ e }) => e),
        ...actions.map(({ entitlementId }) => entitlementId),
        ...holds.map(({ entitlementId }) => entitlementId),
      ])
      const wantedOn = new Map(
        (
          await prisma.entitlement.findMany({
            where: { id: { in: assignments.map(({ e }) => e) } },
            select: { id: true, target: true },
          })
        ).map(({ id, target }) => [id, target]),
      )
      const nameOf = (id: number | null) => names.get(id) ?? null
      const targetOf = new Map(accounts.map(({ id, target }) => [id, target]))
      const { profile, ...rest } = identity
      const json = {
        ...rest,
        profile,
        accounts,
        wanted: assignments.map(({ e, from, to, reasons }) => ({
          entitlement: nameOf(e),
          target: wantedOn.get(e) ?? null,
          from: timeText(from),
          to: to === null ? null : timeText(to),
          reasons,
        })),
        held: grants.map((grant) => ({
          entitlement: nameOf(grant.entitlementId),
          target: targetOf.get(grant.accountId),
          since: grant.firstVerifiedAt,
          lastVerified: grant.lastVerifiedAt,
        })),
        open: actions.map((action) => ({ ...action, entitlement: nameOf(action.entitlementId) })),
        holds: holds.map((hold) => ({ ...hold, entitlement: nameOf(hold.entitlementId) })),
        findings,
      }
      const lifecycle =
        identity.parkedAt !== null
          ? `${identity.lifecycle ?? 'unknown'}, PARKED: ${identity.parkedReason}`
          : (identity.lifecycle ?? 'not evaluated yet')
      return {
        json,
        lines: (paint) => [
          ...pairLines(paint, [
            ['person', identity.personKey],
            ['subject', identity.subjectRef],
            ['lifecycle', lifecycle],
            ['leaver since', identity.leaver ? identity.endedAt : null],
            ['evaluated', identity.evaluatedAt],
            ['events', `${identity.eventsFolded} of ${identity.eventsSeen} folded`],
            ['changes next', identity.workDueAt],
          ]),
          ...section(
            paint,
            'accounts',
            accounts.length === 0
              ? []
              : tableLines(
                  paint,
                  ['target', 'native id', 'origin', 'enabled', 'linked'],
                  accounts.map((a) => [a.target, a.nativeId, a.origin, a.enabled, a.linkedAt]),
                ),
          ),
          ...section(
            paint,
            'held, as last verified',
            json.held.length === 0
              ? []
              : tableLines(
                  paint,
                  ['entitlement', 'target', 'since', 'last verified'],
                  json.held.map((g) => [g.entitlement, g.target, g.since, g.lastVerified]),
                ),
          ),
          ...section(
            paint,
            'wanted',
            json.wanted.length === 0
              ? []
              : tableLines(
                  paint,
                  ['entitlement', 'target', 'from', 'to', 'because of'],
                  json.wanted.map((w) => [
                    w.entitlement,
                    w.target,
                    w.from,
                    w.to,
                    [...new Set(w.reasons.map((r) => r.rule ?? r.implication ?? r.exception ?? r.kind))].join(', '),
                  ]),
                ),
          ),
          ...section(
            paint,
            'open actions',
            actions.length === 0
              ? []
              : tableLines(
                  paint,
                  ['action', 'kind', 'entitlement', 'target', 'state', 'attempts', 'last outcome', 'since'],
                  json.open.map((a) => [
                    a.id,
                    a.kind,
                    a.entitlement,
                    a.target,
                    a.state,
                    a.attempts,
                    a.outcome,
                    a.createdAt,
                  ]),
                ),
          ),
          ...section(
            paint,
            'holds',
            holds.length === 0
              ? []
              : tableLines(
                  paint,
                  ['hold', 'entitlement', 'policies', 'state', 'since'],
                  json.holds.map((h) => [h.id, h.entitlement, h.policies.join(', '), h.closedAs ?? 'open', h.openedAt]),
                ),
          ),
          ...section(
            paint,
            'findings',
            findings.length === 0
              ? []
              : tableLines(
                  paint,
                  ['finding', 'kind', 'about', 'last'],
                  findings.map((f) => [f.id, f.kind, f.key, f.seenAt]),
                ),
          ),
        ],
      }
    })
  },
}
