import { parseDn } from '../../domain/dn.ts'

/** The catalogue may name a group by `<GUID=…>`; then no renaming touches it. */
export const guidOf = (lookup: string): string | undefined =>
  /^<GUID=([0-9a-f-]{36})>$/i.exec(lookup)?.[1]?.toLowerCase()

/** Why a catalogue's look-up can name nothing here, whatever stands in the domain; null: it may name something. */
export const lookupProblem = (lookup: string): string | null =>
  guidOf(lookup) !== undefined || (parseDn(lookup)?.length ?? 0) > 0
    ? null
    : 'is no DN: a group here is named by its DN, e.g. CN=Staff,OU=Groups,DC=corp,DC=example, or <GUID=objectGUID>'
