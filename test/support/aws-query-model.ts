/** Holds exchanges of AWS's query protocol (iam, sts) against their service models: a form goes out, XML comes back. */
import iam from '../../simulators/aws/model/iam.json' with { type: 'json' }
import sts from '../../simulators/aws/model/sts.json' with { type: 'json' }
import { type Model, problems } from './aws-model.ts'

const models: Readonly<Record<string, Model>> = { '2010-05-08': iam, '2011-06-15': sts }

/** What is wrong with it, in words that name places and no values; [] when nothing is. */
export const queryProblems = (form: URLSearchParams, status: number, xml: string): readonly string[] => {
  const { model, known, action } = operationOf(form)
  if (model === undefined || known === undefined) return [`${action}: not in the model`]
  const asked = requestProblems(form)
  const answer = parse(xml)
  if (status !== 200) {
    const code = child(child(answer, 'Error'), 'Code')?.text ?? ''
    const error = known.errors.map((name) => model.shapes[name]?.error).find((one) => one?.code === code)
    // What it complains about need not fit the model.
    if (code === 'ValidationError') return []
    if (error === undefined) return [...asked, `${action}: ${code} is not an error of it`]
    return error.httpStatusCode === status ? asked : [...asked, `${action}: ${code} does not come with ${status}`]
  }
  if (known.output === undefined) return asked
  const result = child(answer, known.resultWrapper ?? '')
  if (result === undefined) return [...asked, `${action} answer: no ${known.resultWrapper}`]
  return [...asked, ...problems(model, known.output, readAs(model, known.output, result), `${action} answer`)]
}

/** The same of a request alone: nobody answered it, or with what no model knows. */
export const requestProblems = (form: URLSearchParams): readonly string[] => {
  const { model, known, action } = operationOf(form)
  if (model === undefined || known === undefined) return [`${action}: not in the model`]
  const said = [...form].flatMap(([name, text]) =>
    name === 'Action' || name === 'Version' ? [] : [{ path: name.split('.'), text }],
  )
  return problems(model, known.input, formAs(model, known.input, said), `${action} request`)
}

const operationOf = (form: URLSearchParams) => {
  const action = form.get('Action') ?? ''
  const model = models[form.get('Version') ?? '']
  return { action, model, known: model?.operations[action] }
}

/** `X.member.1.Y=text` */
type Said = { readonly path: readonly string[]; readonly text: string }

/** null where it is not said as its shape is: then it fits no model. */
const formAs = (model: Model, name: string, said: readonly Said[]): unknown => {
  const shape = model.shapes[name]
  const within = (part: string, some: readonly Said[], depth: number): unknown =>
    formAs(
      model,
      part,
      some.map(({ path, text }) => ({ path: path.slice(depth), text })),
    )
  const [first] = said
  const isPlain = said.length === 1 && first?.path.length === 0
  switch (shape?.type) {
    case 'structure': {
      const members = Map.groupBy(said, ({ path }) => path[0] ?? '')
      return Object.fromEntries(
        [...members].map(([member, some]) => [member, within(shape.members?.[member]?.shape ?? '', some, 1)]),
      )
    }
    case 'list': {
      // None at all is said so.
      if (isPlain && first.text === '') return []
      const items = Map.groupBy(said, ({ path }) => path.slice(0, 2).join('.'))
      const isCounted = [...items.keys()].every((item, at) => item === `member.${at + 1}`)
      return isCounted ? [...items.values()].map((some) => within(shape.member?.shape ?? '', some, 2)) : null
    }
    default:
      return isPlain ? plainValue(shape?.type, first.text) : null
  }
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
    case 'map':
      return Object.fromEntries(
        element.children.map((entry) => [
          child(entry, 'key')?.text ?? '',
          readAs(model, shape.value?.shape ?? '', child(entry, 'value') ?? entry),
        ]),
      )
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
