import { parseDn } from '../../domain/dn.ts'

/** Why a catalogue's look-up can name nothing here, whatever stands in the directory; null: it may name something. */
export const lookupProblem = (lookup: string): string | null =>
  (parseDn(lookup)?.length ?? 0) > 0
    ? null
    : 'is no DN: a group here is named by its DN, e.g. cn=Staff,ou=groups,dc=corp,dc=example'
