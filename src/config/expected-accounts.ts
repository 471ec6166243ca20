import { typeNamed } from '../connectors/registry.ts'

type Plain = { readonly [name: string]: unknown }

/**
 * `targets` as written, with no attribute mapped where something else makes the accounts and nothing is said of them: by the
 * connector's own mapping, everybody in a system that is in use would be written anew.
 */
export const withNothingMapped = (targets: unknown): unknown =>
  Array.isArray(targets) ? targets.map((target: unknown) => mappedAsSaid(target)) : targets

const mappedAsSaid = (target: unknown): unknown => {
  if (!isPlain(target) || target.accounts !== 'expect') return target
  const type = typeNamed(String(target.type))
  const settings = type?.mapsByItself ? target[type.member] : undefined
  if (type === null || !isPlain(settings)) return target
  const { account = {} } = settings
  if (!isPlain(account) || account.attributes !== undefined) return target
  return { ...target, [type.member]: { ...settings, account: { ...account, attributes: {} } } }
}

const isPlain = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value)
