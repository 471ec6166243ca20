import type { Office } from '../app/office.ts'

type Prisma = Office['prisma']

/** What people call an entitlement: its catalogue key, else how the target names it. */
export const entitlementNames = async (
  prisma: Prisma,
  ids: readonly (number | null)[],
): Promise<ReadonlyMap<number | null, string>> => {
  const rows = await prisma.entitlement.findMany({ where: { id: { in: distinct(ids) } } })
  return new Map(rows.map(({ id, key, lookup }) => [id, key ?? lookup]))
}

export const personKeys = async (
  prisma: Prisma,
  ids: readonly (bigint | null)[],
): Promise<ReadonlyMap<bigint | null, string>> => {
  const rows = await prisma.identity.findMany({
    where: { id: { in: distinct(ids) } },
    select: { id: true, personKey: true },
  })
  return new Map(rows.map(({ id, personKey }) => [id, personKey]))
}

const distinct = <T>(ids: readonly (T | null)[]): T[] => [...new Set(ids)].filter((id) => id !== null) as T[]
