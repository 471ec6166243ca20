import { escapeRdnValue } from '../../domain/dn.ts'
import {
  type AttributeTemplates,
  attributesHash,
  fill,
  type MappedAttributes,
  mapAttributes,
  type Worker,
} from '../attribute-mapping.ts'

/** What the configuration says of accounts: naming attribute with its template, and the templates of the attributes. */
export type AccountMapping = { readonly rdn?: string | undefined; readonly attributes: AttributeTemplates }

/** `uid={username}` → ['uid', '{username}']. */
export const splitRdn = (rdn: string): [string, string] => {
  const at = rdn.indexOf('=')
  return [rdn.slice(0, at), rdn.slice(at + 1)]
}

/** Naming attribute, its value and the escaped RDN of a new account; null when the worker lacks what the template needs, or nothing names it. */
export const mapRdn = (
  account: AccountMapping,
  worker: Worker,
): { name: string; value: string; rdn: string } | null => {
  const [name, template] = splitRdn(account.rdn ?? '')
  const value = fill(template, worker)
  return value === '' ? null : { name, value, rdn: `${name}=${escapeRdnValue(value)}` }
}

/** Of the attributes and the name of an account that would be made for this worker, and of what else it is looked for by. */
export const creationHash = (account: AccountMapping, worker: Worker, lookUps: MappedAttributes): string => {
  const { name, value } = mapRdn(account, worker) ?? { name: '', value: '' }
  return attributesHash(new Map([...mapAttributes(account.attributes, worker), [`rdn ${name}`, [value]], ...lookUps]))
}
