import { z } from 'zod'
import { workerAttributes } from '../domain/attributes.ts'

/**
 * What a template may name: all that the engine tells of a worker. Whatever else is named fills to nothing, and an attribute
 * without a value is removed from every account. HR's own `custom.<name>` are told by nobody before they come.
 */
export const templateNames: readonly string[] = [
  'personKey',
  'employmentKey',
  'hireDate',
  'lastDayOfWorkEnd',
  ...Object.keys(workerAttributes),
]
const known: ReadonlySet<string> = new Set(templateNames)

export const placeholder = /\{([^{}]*)\}/g
const names = /^[A-Za-z][\w.]*(?:\|[A-Za-z][\w.]*)*$/
const ownOfHr = /^custom\../

/** `params`: a name that is none, and those that are, for a hint. */
export type TemplateProblem = {
  readonly message: string
  readonly params?: { readonly written: string; readonly known: readonly string[] }
}

/** What is wrong with a template such as `{givenName} {familyName}` or `{displayName|username}`; null when nothing is. */
export const templateProblem = (template: string): TemplateProblem | null => {
  for (const [, inner = ''] of template.matchAll(placeholder)) {
    if (!names.test(inner))
      return { message: `{${inner}} must name a worker attribute, or alternatives as in {displayName|username}` }
    const stranger = inner.split('|').find((name) => !known.has(name) && !ownOfHr.test(name))
    if (stranger !== undefined)
      return {
        message: `{${stranger}} is no worker attribute`,
        params: { written: stranger, known: [...templateNames, 'custom.*'] },
      }
  }
  return /[{}]/.test(template.replace(placeholder, '')) ? { message: 'has a brace without its partner' } : null
}

/** Whether what it fills to is the person's for good. A name or a mail address is given to somebody else one day. */
export const namesThePerson = (template: string): boolean => /\{personKey[|}]/.test(template)

/** For a schema's text that is a template, or holds one: `templateIn` takes it out. */
export const checkTemplate =
  (templateIn: (text: string) => string = (text) => text) =>
  (text: string, context: z.RefinementCtx): void => {
    const problem = templateProblem(templateIn(text))
    if (problem !== null) context.addIssue({ code: 'custom', ...problem })
  }

export const template = z.string().min(1).superRefine(checkTemplate())
