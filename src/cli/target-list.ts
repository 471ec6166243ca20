import type { Command } from './command.ts'
import { inOffice } from './configured.ts'
import { tableLines } from './table.ts'

export const targetList: Command = {
  summary: 'targets with their modes and what they hold',
  usage: 'target list',
  run: (call) =>
    inOffice(call, async ({ prisma }) => {
      const [targets, accounts, open] = await Promise.all([
        prisma.target.findMany({ orderBy: { id: 'asc' } }),
        prisma.account.groupBy({ by: ['target'], where: { unlinkedAt: null }, _count: true }),
        prisma.action.groupBy({
          by: ['target'],
          where: { open: true },
          _count: true,
        }),
      ])
      const countOf = (rows: readonly { target: string; _count: number }[], id: string) =>
        rows.find(({ target }) => target === id)?._count ?? 0
      const rows = targets.map((target) => ({
        ...target,
        accounts: countOf(accounts, target.id),
        openActions: countOf(open, target.id),
      }))
      return {
        json: rows,
        lines: (paint) =>
          rows.length === 0
            ? ['no target yet: `muster serve` takes in those of muster.yaml when it starts']
            : tableLines(
                paint,
                ['target', 'mode', 'since', 'set by', 'accounts', 'open actions'],
                rows.map((row) => [row.id, row.mode, row.modeSetAt, row.modeSetBy, row.accounts, row.openActions]),
              ),
      }
    }),
}
