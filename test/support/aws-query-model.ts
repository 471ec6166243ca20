/** Holds exchanges of AWS's query protocol (iam, sts) against their service models: a form goes out, XML comes back. */
import iam from '../../simulators/aws/model/iam.json' with { type: 'json' }
import sts from '../../simulators/aws/model/sts.json' with { type: 'json' }
import { type Model, problems } from './aws-model.ts'

const models: Readonly<Record<string, Model>> = { '2010-05-08': iam, '2011-06-15': sts }

/** What is wrong with it, in words that name places and no values; [] when nothing is. */
export const queryProblems = (form: URLSearchParams, status: number, xml: string): readonly string[] => {
  const { Action = '', Version = '', ...said } = Object.fromEntries(form)
  const model = models[Version]
  const known = model?.operations[Action]
  if (model === undefined || known === undefined) return [`${Action}: not in the model`]
  const members = model.shapes[known.input]?.members ?? {}
  const request = Object.fromEntries(
    Object.entries(said).map(([name, text]) => [
      name,
      plainValue(model.shapes[members[name]?.shape ?? '']?.type, text),
    ]),
  )
  const asked = problems(model, known.input, request, `${Action} request`)
  const answer = parse(xml)
  if (status !== 200) {
    const code = child(child(answer, 'Error'), 'Code')?.text ?? ''
    const error = known.errors.map((name) => model.shapes[name]?.error).find((one) => one?.code === code)
    // What it complains about need not fit the model.
    if (code === 'ValidationError') return []
    if (error === undefined) return [...asked, `${Action}: ${code} is not an error of it`]
    return error.httpStatusCode === status ? asked : [...asked, `${Action}: ${code} does not come with ${status}`]
  }
  if (known.output === undefined) return asked
  const result = child(answer, known.resultWrapper ?? '')
  if (result === undefined) return [...asked, `${Action} answer: no ${known.resultWrapper}`]
  return [...asked, ...problems(model, known.output, readAs(model, known.output, result), `${Action} answer`)]
}

type Element = { readonly name: string; readonly children: Element[]; text: string }

const child = (element: Element | undefined, name: string): Element | undefined =>
  element?.children.find((one) => one.name === name)

/** XML as AWS writes it: elements and texts, neither attributes that matter nor anything mixed. */
const parse = (xml: string): Element | undefined => {
  const root: Element = { name: '', children: [], text: '' }
  const open: Element[] = [root]
  for (const [, close, name = '', alone, text] of xml.matchAll(/<(\/?)([\w:]+)[^>]*?(\/?)>|([^<]+)/g)) {
    const at = open.at(-1)
    if (at === undefined) return undefined
    if (text !== undefined) at.text += unescaped(text)
    else if (close === '/') open.pop()
    else {
      const element: Element = { name, children: [], text: '' }
      at.children.push(element)
      if (alone !== '/') open.push(element)
    }
  }
  return root.children[0]
}

const marks: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const unescaped = (text: string): string =>
  text.replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => marks[name] ?? '')

const readAs = (model: Model, name: string, element: Element): unknown => {
  const shape = model.shapes[name]
  switch (shape?.type) {
    case 'structure':
      return Object.fromEntries(
        element.children.map((one) => [one.name, readAs(model, shape.members?.[one.name]?.shape ?? '', one)]),
      )
    case 'list':
      return element.children.map((one) => readAs(model, shape.member?.shape ?? '', one))
    default:
      return plainValue(shape?.type, element.text)
  }
}

/** NaN, or the text itself, where it is none: then it fits no model. */
const plainValue = (type: string | undefined, text: string): unknown => {
  if (type === 'integer' || type === 'long') return text === '' ? Number.NaN : Number(text)
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (type === 'timestamp') return Number.isNaN(Date.parse(text)) ? text : Date.parse(text) / 1_000
  return text
}
