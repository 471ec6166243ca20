import type { LdapClient } from '../ldap-wire/client.ts'
import { type Failure, failed } from '../ldap-wire/errors.ts'

export const aborted: Failure = { code: '', result: null, word: 'aborted', sent: false }

/** The client for one read that somebody may stop waiting for: nothing more is asked then, and no part is given out as a whole. */
export const untilAborted = (client: LdapClient, signal: AbortSignal): LdapClient => ({
  ...client,
  search: async (search, took) => (signal.aborted ? failed(aborted) : client.search(search, took)),
  searchPages: async (search, pageSize, onPage) => {
    if (signal.aborted) return failed(aborted)
    let cut = false
    const read = await client.searchPages(search, pageSize, (entries) => {
      const answer = onPage(entries)
      if (answer === 'enough') return answer
      cut = signal.aborted
      return cut ? 'enough' : answer
    })
    return cut ? failed(aborted) : read
  },
})
