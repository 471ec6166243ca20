import { lookUps } from '../alternatives.ts'
import { attributesHash, fill, type MappedAttributes, mapAttributes, type Worker } from '../attribute-mapping.ts'
import type { EntraSettings } from './config.ts'
import { shapeOf } from './properties.ts'
import { spelled } from './user.ts'

/** What the account of this worker should have, each value spelled as Graph gives it back. */
export const wantedAttributes = (settings: EntraSettings, worker: Worker): MappedAttributes =>
  new Map(
    [...mapAttributes(settings.account.attributes, worker)].map(([name, values]) => [
      name,
      values.map((value) => spelled(name, value)),
    ]),
  )

/** The names of a new account; null when the worker lacks what the templates need. */
export const namesOf = (
  settings: EntraSettings,
  worker: Worker,
): { readonly userPrincipalName: string; readonly mailNickname: string } | null => {
  const userPrincipalName = fill(settings.account.userPrincipalName ?? '', worker)
  const mailNickname = fill(settings.account.mailNickname, worker)
  return /^[^@\s]+@[^@\s]+$/.test(userPrincipalName) && mailNickname !== '' ? { userPrincipalName, mailNickname } : null
}

/** Of the attributes and the names of an account that would be made for this worker, and of what else it is looked for by. */
export const creationHash = (settings: EntraSettings, worker: Worker): string => {
  const names = namesOf(settings, worker)
  return attributesHash(
    new Map([
      ...wantedAttributes(settings, worker),
      ['new userPrincipalName', names === null ? [] : [names.userPrincipalName]],
      ['new mailNickname', names === null ? [] : [names.mailNickname]],
      ...lookUps(settings.alternatives, worker),
    ]),
  )
}

/** A property whose wanted value Graph could not store: a moment that is none, or several values where one is. */
export const unfit = (wanted: MappedAttributes): string | null => {
  for (const [name, values] of wanted) {
    const shape = shapeOf(name)
    if (shape !== 'texts' && values.length > 1) return name
    if (shape === 'moment' && values.some((value) => Number.isNaN(Date.parse(value)))) return name
  }
  return null
}

/** The body that sets these properties: dots become objects, no value clears. */
export const bodyOf = (changes: Iterable<readonly [string, readonly string[]]>): Record<string, unknown> => {
  const body: Record<string, unknown> = {}
  for (const [property, values] of changes) {
    const value = shapeOf(property) === 'texts' ? values : (values[0] ?? null)
    const [root = '', leaf] = property.split('.')
    if (leaf === undefined) body[root] = value
    else body[root] = { ...(body[root] as object | undefined), [leaf]: value }
  }
  return body
}
