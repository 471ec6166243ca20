import { AndFilter, EqualityFilter, NotFilter, PresenceFilter } from 'ldapts'

export const anyObject = new PresenceFilter({ attribute: 'objectClass' })
/** People's accounts: no contacts, computers or managed service accounts (which are `user`, but no `person`). */
export const anyPerson = new AndFilter({
  filters: [
    new EqualityFilter({ attribute: 'objectCategory', value: 'person' }),
    new EqualityFilter({ attribute: 'objectClass', value: 'user' }),
  ],
})
/** None of those that AD made for itself, whatever they are called. */
export const anyOrdinaryPerson = new AndFilter({
  filters: [
    anyPerson,
    new NotFilter({ filter: new EqualityFilter({ attribute: 'isCriticalSystemObject', value: 'TRUE' }) }),
  ],
})
export const anyGroup = new EqualityFilter({ attribute: 'objectClass', value: 'group' })
