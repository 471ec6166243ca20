import type { Command } from './command.ts'
import { inOffice } from './configured.ts'
import { entitlementNames, personKeys } from './names.ts'
import { tableLines } from './table.ts'

export const findingList: Command = {
  summary: 'what a human should see, urgent first',
  usage: 'finding list [--all]',
  options: { all: { type: 'boolean' } },
  run: (call) =>
    inOffice(call, async ({ prisma }) => {
      const findings = await prisma.finding.findMany({
        where: call.values.all === true ? {} : { closedAt: null },
        orderBy: [{ urgent: 'desc' }, { seenAt: 'desc' }],
        take: 1_000,
      })
      const people = await personKeys(
        prisma,
        findings.map(({ identityId }) => identityId),
      )
      const entitlementOf = ({ detail }: { readonly detail: unknown }) => {
        const id = (detail as { readonly entitlement?: unknown } | null)?.entitlement
        return typeof id === 'number' ? id : null
      }
      const names = await entitlementNames(prisma, findings.map(entitlementOf))
      const rows = findings.map(({ identityId, ...finding }) => ({
        ...finding,
        entitlement: names.get(entitlementOf(finding)) ?? null,
        person: people.get(identityId) ?? null,
      }))
      return {
        json: rows,
        lines: (paint) =>
          rows.length === 0
            ? ['nothing found']
            : tableLines(
                paint,
                ['finding', 'urgent', 'kind', 'about', 'person', 'times', 'first', 'last', 'detail'],
                rows.map((row) => [
                  row.id,
                  row.urgent,
                  row.kind,
                  row.key,
                  row.person,
                  row.times,
                  row.openedAt,
                  row.seenAt,
                  detailText(row.detail, row.entitlement),
                ]),
              ),
      }
    }),
}

/** Entitlements by their names: nobody knows their numbers. */
const detailText = (detail: unknown, entitlement: string | null): string =>
  Object.entries({ ...(detail as Record<string, unknown> | null), ...(entitlement === null ? {} : { entitlement }) })
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')
