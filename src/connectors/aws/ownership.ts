import type { AwsSettings, Owner } from './config.ts'

/** Control Tower's and AWS's own groups begin so; nobody else's should. */
const reserved = /^AWS/i

/** Who says who is in this group. The word stands in a refusal. */
export type Ownership = { readonly owner: Owner; readonly word: string }

export const ownerOf = (
  { ownership }: Pick<AwsSettings, 'ownership'>,
  group: { readonly name: string; readonly fromScim: boolean },
): Ownership => {
  // What SCIM has made is SCIM's, whatever the configuration says: its next push would undo ours.
  if (group.fromScim) return { owner: 'scim-idp', word: 'scim-owned' }
  if (reserved.test(group.name)) return { owner: 'nobody', word: 'reserved-by-aws' }
  const rule = ownership.groups.find(({ name }) => fits(name, group.name))
  const owner = rule?.owner ?? ownership.default
  return { owner, word: owner === 'scim-idp' ? 'scim-owned' : 'not-owned' }
}

/** In whatever case it is written, as AWS finds a group by its name. */
const fits = (pattern: string, name: string): boolean => {
  const [wanted, shown] = [pattern.toLowerCase(), name.toLowerCase()]
  return wanted.endsWith('*') ? shown.startsWith(wanted.slice(0, -1)) : shown === wanted
}
