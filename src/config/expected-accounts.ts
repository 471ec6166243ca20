type Plain = { readonly [name: string]: unknown }

/** Types of targets whose connector maps some attributes by itself: a created account cannot be without them. */
const mapsByItself: Readonly<Record<string, string>> = { entra: 'entra', aws: 'aws' }

/**
 * `targets` as written, with no attribute mapped where something else makes the accounts and nothing is said of them: by the
 * connector's own mapping, everybody in a system that is in use would be written anew.
 */
export const withNothingMapped = (targets: unknown): unknown =>
  Array.isArray(targets) ? targets.map((target: unknown) => mappedAsSaid(target)) : targets

const mappedAsSaid = (target: unknown): unknown => {
  if (!isPlain(target) || target.accounts !== 'expect') return target
  const member = mapsByItself[String(target.type)]
  const settings = member === undefined ? undefined : target[member]
  if (member === undefined || !isPlain(settings)) return target
  const { account = {} } = settings
  if (!isPlain(account) || account.attributes !== undefined) return target
  return { ...target, [member]: { ...settings, account: { ...account, attributes: {} } } }
}

const isPlain = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value)
