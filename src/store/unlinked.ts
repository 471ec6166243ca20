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
