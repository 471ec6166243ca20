/** Holds exchanges against AWS's own service models, as botocore ships them (simulators/aws/model). */
import identitystore from '../../simulators/aws/model/identitystore.json' with { type: 'json' }
import ssoAdmin from '../../simulators/aws/model/sso-admin.json' with { type: 'json' }
import type { Answer, Json, Target } from '../../simulators/aws/wire.ts'

type Ref = { readonly shape: string }
export type Shape = {
  readonly type: string
  readonly required?: readonly string[]
  readonly members?: Readonly<Record<string, Ref>>
  readonly member?: Ref
  readonly key?: Ref
  readonly value?: Ref
  readonly enum?: readonly string[]
  readonly min?: number
  readonly max?: number
  readonly pattern?: string
  readonly document?: boolean
  /** Of the query protocol. */
  readonly error?: { readonly code: string; readonly httpStatusCode: number }
}
type Operation = {
  readonly input: string
  readonly output?: string
  readonly resultWrapper?: string
  readonly errors: readonly string[]
}
export type Model = {
  readonly operations: Readonly<Record<string, Operation>>
  readonly shapes: Readonly<Record<string, Shape>>
}

const models: Readonly<Record<Target['service'], Model>> = { identitystore, 'sso-admin': ssoAdmin }
/** Of every AWS service; no model lists them. */
const common = new Set(['ThrottlingException', 'UnrecognizedClientException', 'InternalServerException'])

/** What is wrong with it, in words that name places and no values; [] when nothing is. */
export const exchangeProblems = ({ service, operation }: Target, request: Json, answer: Answer): readonly string[] => {
  const model = models[service]
  const known = model.operations[operation]
  if (known === undefined) return [`${operation}: not in the model`]
  const asked = problems(model, known.input, request, `${operation} request`)
  if (answer.status === 200)
    return [...asked, ...problems(model, known.output ?? '', withoutEmptyPolicy(answer.body), `${operation} answer`)]
  const { __type, ...members } = answer.body
  const name = String(__type)
  if (!known.errors.includes(name) && !common.has(name))
    return [...asked, `${operation}: ${name} is not an error of it`]
  // What it complains about need not fit the model.
  return [
    ...(name === 'ValidationException' ? [] : asked),
    ...(known.errors.includes(name) ? problems(model, name, members, `${operation} ${name}`) : []),
  ]
}

/** Said in its documentation, and against its own length: a permission set may show an empty inline policy. */
const withoutEmptyPolicy = ({ InlinePolicy, ...rest }: Json): Json =>
  InlinePolicy === undefined || InlinePolicy === '' ? rest : { InlinePolicy, ...rest }

export const problems = (model: Model, name: string, value: unknown, at: string): readonly string[] => {
  const shape = model.shapes[name]
  if (shape === undefined) return [`${at}: no shape ${name}`]
  if (shape.document === true) return []
  switch (shape.type) {
    case 'structure':
      return ofStructure(model, shape, value, at)
    case 'list':
      if (!Array.isArray(value)) return [`${at}: no list`]
      return [
        ...ofSize(shape, value.length, at),
        ...value.flatMap((one) => problems(model, shape.member?.shape ?? '', one, `${at}[]`)),
      ]
    case 'map':
      if (typeof value !== 'object' || value === null) return [`${at}: no map`]
      return Object.entries(value).flatMap(([key, one]) => [
        ...problems(model, shape.key?.shape ?? '', key, `${at} key`),
        ...problems(model, shape.value?.shape ?? '', one, `${at} value`),
      ])
    case 'string':
      return typeof value === 'string' ? ofString(shape, value, at) : [`${at}: no string`]
    case 'integer':
    case 'long':
      return Number.isInteger(value) ? ofSize(shape, Number(value), at) : [`${at}: no integer`]
    case 'timestamp':
      return typeof value === 'number' ? [] : [`${at}: no timestamp`]
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${at}: no boolean`]
    default:
      return [`${at}: unknown type ${shape.type}`]
  }
}

const ofStructure = (
  model: Model,
  { members = {}, required = [] }: Shape,
  value: unknown,
  at: string,
): readonly string[] => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at}: no structure`]
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${at}: ${name} is missing`)
  const inner = Object.entries(value).flatMap(([name, one]) => {
    const ref = members[name]
    return ref === undefined ? [`${at}: ${name} is no member`] : problems(model, ref.shape, one, `${at}.${name}`)
  })
  return [...missing, ...inner]
}

const ofSize = ({ min, max }: Shape, size: number, at: string): readonly string[] =>
  (min !== undefined && size < min) || (max !== undefined && size > max)
    ? [`${at}: ${size} is not within ${min} and ${max}`]
    : []

const ofString = (shape: Shape, value: string, at: string): readonly string[] => {
  if (shape.enum !== undefined && !shape.enum.includes(value)) return [`${at}: not in the list of values`]
  const fits = shape.pattern === undefined || wholly(shape.pattern).test(value)
  return [...ofSize(shape, value.length, at), ...(fits ? [] : [`${at}: not of the pattern`])]
}

/** Made once: long lists have hundreds of thousands of values. */
const patterns = new Map<string, RegExp>()
const wholly = (pattern: string): RegExp => {
  const made = patterns.get(pattern) ?? new RegExp(`^(?:${pattern})$`, 'u')
  patterns.set(pattern, made)
  return made
}
