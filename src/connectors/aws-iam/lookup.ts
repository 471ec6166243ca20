/** `role/<RoleName>`; null for anything else. */
export const roleNameOf = (lookup: string): string | null => /^role\/([\w+=,.@-]{1,64})$/.exec(lookup)?.[1] ?? null
export const lookupOf = ({ name }: { readonly name: string }): string => `role/${name}`

/** Why a catalogue's look-up can name nothing here, whatever is in the account; null: it may name something. */
export const lookupProblem = (lookup: string): string | null =>
  roleNameOf(lookup) === null ? 'names no role: a role here is role/<RoleName>, without its path' : null
