import type { AttributeValue } from '../domain/worker-event.ts'
import type { Queryable } from './database.ts'

export type Unlinked = {
  readonly identity: number
  readonly subject_ref: string
  readonly person_key: string
  readonly profile: Readonly<Record<string, AttributeValue>> | null
}

/** The next people, by their ids, whom evaluation has judged and who have no account on a target as far as is known. */
export const unlinkedAfter = (
  db: Queryable,
  target: string,
  after: number,
  limit: number,
): Promise<readonly Unlinked[]> =>
  db.query({
    name: 'correlate-unlinked',
    text: `select i.id as identity, i.subject_ref, i.person_key, i.profile from muster.identity i
      where i.id > $2 and i.lifecycle is not null
        and not exists (select from muster.account a where a.identity_id = i.id and a.target = $1 and a.unlinked_at is null)
      order by i.id limit $3`,
    values: [target, after, limit],
  })

/** Those of these people who have an account there by now. */
export const linkedOf = async (
  db: Queryable,
  target: string,
  identities: readonly number[],
): Promise<ReadonlySet<number>> => {
  const rows = await db.query<{ identity_id: number }>({
    name: 'correlate-linked',
    text: 'select identity_id from muster.account where identity_id = any($2) and target = $1 and unlinked_at is null',
    values: [target, identities],
  })
  return new Set(rows.map(({ identity_id }) => identity_id))
}
