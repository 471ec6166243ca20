import { AndFilter, EqualityFilter, PresenceFilter } from 'ldapts'

export const anyObject = new PresenceFilter({ attribute: 'objectClass' })
/** People's accounts: no contacts, computers or managed service accounts (which are `user`, but no `person`). */
export const anyPerson = new AndFilter({
  filters: [
    new EqualityFilter({ attribute: 'objectCategory', value: 'person' }),
    new EqualityFilter({ attribute: 'objectClass', value: 'user' }),
  ],
})
export const anyGroup = new EqualityFilter({ attribute: 'objectClass', value: 'group' })
