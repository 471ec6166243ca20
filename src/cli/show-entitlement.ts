import type { Command } from './command.ts'
import { failure, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { personKeys } from './names.ts'
import { pairLines, section, tableLines } from './table.ts'

const shown = 500

export const showEntitlement: Command = {
  summary: 'an entitlement: what it is, who holds it, for whom it is wanted',
  usage: 'show entitlement KEY',
  run: (call) => {
    const [key] = call.words
    if (key === undefined || call.words.length > 1)
      throw usage(
        'which entitlement?',
        'usage: muster show entitlement KEY (as in policies/, or how the target names it)',
      )
    return inOffice(call, async ({ prisma, now }) => {
      const entitlement = await prisma.entitlement.findFirst({
        where: { OR: [{ key }, { lookup: key }] },
        orderBy: [{ managed: 'desc' }, { id: 'asc' }],
      })
      if (entitlement === null) throw failure(`there is no entitlement ${key}`, 'its key stands in policies/')
      const present = { entitlementId: entitlement.id, goneVerifiedAt: null }
      const recorded = { entitlements: { has: entitlement.id }, recordedTo: { gt: new Date(await now()) } }
      const [holders, grants, wanted, held] = await Promise.all([
        prisma.grant.count({ where: present }),
        prisma.grant.findMany({ where: present, orderBy: { firstVerifiedAt: 'asc' }, take: shown }),
        prisma.desired.count({ where: recorded }),
        prisma.hold.findMany({ where: { entitlementId: entitlement.id, closedAt: null } }),
      ])
      const accounts = await prisma.account.findMany({
        where: { id: { in: grants.map(({ accountId }) => accountId) } },
      })
      const people = await personKeys(prisma, [
        ...accounts.map(({ identityId }) => identityId),
        ...held.map(({ identityId }) => identityId),
      ])
      const personOf = new Map(accounts.map(({ id, identityId }) => [id, people.get(identityId) ?? null]))
      const rows = grants.map((grant) => ({
        person: personOf.get(grant.accountId) ?? null,
        since: grant.firstVerifiedAt,
        lastVerified: grant.lastVerifiedAt,
      }))
      return {
        json: {
          ...entitlement,
          holders,
          wantedFor: wanted,
          grants: rows,
          holds: held.map((hold) => ({ ...hold, person: people.get(hold.identityId) ?? null })),
        },
        lines: (paint) => [
          ...pairLines(paint, [
            ['entitlement', entitlement.key],
            ['target', entitlement.target],
            ['lookup', entitlement.lookup],
            ['native id', entitlement.nativeId ?? 'not resolved yet'],
            ['managed', entitlement.managed],
            ['protected', entitlement.protected],
            ['risk', entitlement.risk],
            ['held by', holders],
            ['wanted for', `${wanted} (now or at some time)`],
          ]),
          ...section(
            paint,
            holders > rows.length ? `holders (the first ${rows.length})` : 'holders',
            rows.length === 0
              ? []
              : tableLines(
                  paint,
                  ['person', 'since', 'last verified'],
                  rows.map((row) => [row.person, row.since, row.lastVerified]),
                ),
          ),
          ...section(
            paint,
            'held back for',
            held.length === 0
              ? []
              : tableLines(
                  paint,
                  ['hold', 'person', 'policies', 'since'],
                  held.map((hold) => [hold.id, people.get(hold.identityId), hold.policies.join(', '), hold.openedAt]),
                ),
          ),
        ],
      }
    })
  },
}
