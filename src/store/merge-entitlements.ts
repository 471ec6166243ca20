import type { Transaction } from './database.ts'
import { lockIdentities, makeDue } from './work-queue.ts'

/** Two rows for one thing: `from`, in no catalogue, has the native id that `into` turned out to have. */
export type Twin = { readonly into: number; readonly from: number; readonly nativeId: string }

const pairs = 'unnest($1::int[], $2::int[]) as r("from", "into")'

/**
 * One thing, one row: the native id and everything held go to `into`, and whoever is concerned is evaluated again, since
 * separation of duties did not know that they hold it. `from` stays as a name without a thing. Rare: a thing is renamed on
 * its target and listed under its new name, or a read sees it while a policy that lists it is being applied.
 */
export const mergeEntitlements = async (tx: Transaction, twins: readonly Twin[]): Promise<void> => {
  if (twins.length === 0) return
  const values = [twins.map((twin) => twin.from), twins.map((twin) => twin.into)]
  const concerned = await tx.query<{ id: number }>({
    text: `select distinct a.identity_id as id from muster.grants g join muster.account a on a.id = g.account_id
        where g.entitlement_id = any($1) and g.gone_verified_at is null
      union select a.identity_id from muster.indirect n join muster.account a on a.id = n.account_id
        where n.entitlements && $1::int[] and n.gone_verified_at is null
      union select identity_id from muster.action where entitlement_id = any($1) and open
      union select identity_id from muster.adopted where entitlement_id = any($1) and ended_at is null`,
    values: values.slice(0, 1),
  })
  const identities = concerned.map(({ id }) => id)
  await lockIdentities(tx, identities)
  await tx.query({
    text: 'update muster.entitlement set native_id = null where id = any($1)',
    values: values.slice(0, 1),
  })
  await tx.query({
    text: `update muster.entitlement e set native_id = r.native_id from unnest($1::int[], $2::text[]) as r(id, native_id) where e.id = r.id`,
    values: [twins.map((twin) => twin.into), twins.map((twin) => twin.nativeId)],
  })
  // Held under both names: it goes on under the one; what the other knows of it ends where it was last seen.
  await tx.query({
    text: `update muster.grants g set gone_verified_at = g.last_verified_at, gone_recorded_at = (select muster.now())
      from unnest($1::int[], $2::int[]) as r("from", "into")
      where g.entitlement_id = r."from" and g.gone_verified_at is null and exists (select from muster.grants o
        where o.account_id = g.account_id and o.entitlement_id = r."into" and o.gone_verified_at is null)`,
    values,
  })
  await tx.query({
    text: `update muster.grants g set entitlement_id = r."into" from unnest($1::int[], $2::int[]) as r("from", "into")
      where g.entitlement_id = r."from" and not exists (select from muster.grants o
        where o.account_id = g.account_id and o.entitlement_id = r."into" and o.first_verified_at = g.first_verified_at)`,
    values,
  })
  await tx.query({
    text: `update muster.indirect n set
        entitlements = array(select distinct coalesce(r."into", e) from unnest(n.entitlements) e left join ${pairs} on r."from" = e order by 1),
        held = (select jsonb_agg(case when r."into" is null then h else jsonb_set(h, '{e}', to_jsonb(r."into")) end order by at)
          from jsonb_array_elements(n.held) with ordinality as o(h, at) left join ${pairs} on r."from" = (h->>'e')::int)
      where n.entitlements && $1::int[]`,
    values,
  })
  await tx.query({
    text: `update muster.adopted t set entitlement_id = r."into" from unnest($1::int[], $2::int[]) as r("from", "into")
      where t.entitlement_id = r."from" and t.ended_at is null and not exists (select from muster.adopted o
        where o.identity_id = t.identity_id and o.entitlement_id = r."into" and o.ended_at is null)`,
    values,
  })
  await makeDue(tx, identities)
}
