import type { AwsIamSettings } from './config.ts'

type Reach = Pick<AwsIamSettings, 'accountId' | 'sidPrefix' | 'roles'>
type Pattern = AwsIamSettings['roles'][number]

/**
 * Whether two targets may write statements of one name into one role: each would take the other's people for its own. Without
 * a look at case, as IAM finds roles.
 */
export const haveSameStatements = (one: Reach, other: Reach): boolean =>
  one.accountId === other.accountId &&
  one.sidPrefix.toLowerCase() === other.sidPrefix.toLowerCase() &&
  one.roles.some((mine) => other.roles.some((theirs) => mayMeet(mine, theirs)))

const mayMeet = (one: Pattern, other: Pattern): boolean =>
  (one.path.startsWith(other.path) || other.path.startsWith(one.path)) &&
  (covers(one.name, other.name) || covers(other.name, one.name))

/** Whether some name of `narrow` is one of `wide`, which is at most as long; both may end in `*`. */
const covers = (wide: string, narrow: string): boolean =>
  wide.endsWith('*')
    ? narrow.toLowerCase().startsWith(wide.slice(0, -1).toLowerCase())
    : narrow.toLowerCase() === wide.toLowerCase()
