const prefix = /^displayName:/i

/** What a look-up that is no object id calls the group. */
export const displayNameOf = (lookup: string): string => lookup.replace(prefix, '')

/** Why a catalogue's look-up can name nothing here, whatever is in the tenant; null: it may name something. */
export const lookupProblem = (lookup: string): string | null =>
  displayNameOf(lookup).trim() === ''
    ? 'names no group: a group here is its object id, or displayName:Name (or the name alone)'
    : null
