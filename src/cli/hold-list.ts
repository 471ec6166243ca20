import { listHeld } from '../engine/list-held.ts'
import type { Command } from './command.ts'
import { inOffice } from './configured.ts'
import { causesText, heldCauses } from './held-causes.ts'
import { entitlementNames, personKeys } from './names.ts'
import { tableLines } from './table.ts'

export const holdList: Command = {
  summary: 'what waits for a human: SoD holds and tripped guards',
  usage: 'hold list [--all]',
  options: { all: { type: 'boolean', about: 'closed ones, too' } },
  run: (call) =>
    inOffice(call, async ({ db, prisma }) => {
      const holds = await prisma.hold.findMany({
        where: call.values.all === true ? {} : { closedAt: null },
        orderBy: { id: 'asc' },
        take: 1_000,
      })
      const people = await personKeys(
        prisma,
        holds.map(({ identityId }) => identityId),
      )
      const names = await entitlementNames(
        prisma,
        holds.flatMap(({ entitlementId, conflictsWith }) => [entitlementId, ...conflictsWith]),
      )
      const held = await listHeld(
        db,
        holds.filter(({ kind, closedAt }) => kind === 'guard' && closedAt === null),
      )
      const rows = holds.map((hold) => ({
        id: hold.id,
        kind: hold.kind,
        person: people.get(hold.identityId) ?? null,
        target: hold.target,
        entitlement: names.get(hold.entitlementId) ?? null,
        action: hold.actionKind,
        policies: hold.policies,
        conflictsWith: hold.conflictsWith.map((id) => names.get(id) ?? String(id)),
        detail: hold.detail,
        openedAt: hold.openedAt,
        /** Of a tripped guard: what brought what it holds now. */
        causes: held.has(hold) ? heldCauses(held.get(hold) ?? []) : null,
        closedAt: hold.closedAt,
        closedAs: hold.closedAs,
        closedBy: hold.closedBy,
      }))
      return {
        json: rows,
        lines: (paint) =>
          rows.length === 0
            ? ['nothing is held']
            : tableLines(
                paint,
                [
                  'hold',
                  'kind',
                  'about',
                  'entitlement',
                  'because of',
                  'conflicts with',
                  'since',
                  'state',
                  ...(held.size === 0 ? [] : ['holds now']),
                ],
                rows.map((row) => [
                  row.id,
                  row.kind,
                  row.person ?? `${row.target}: every ${row.action}`,
                  row.entitlement,
                  row.policies.join(', '),
                  row.conflictsWith.join(', '),
                  row.openedAt,
                  row.closedAs ?? 'open',
                  ...(held.size === 0 ? [] : [row.causes === null ? null : causesText(row.causes)]),
                ]),
              ),
      }
    }),
}
