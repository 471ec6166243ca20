/** Reads the part of Microsoft's CSDL that JSON Schema can say. Not a general XML reader: CSDL as Microsoft publishes it. */
export type CsdlProperty = { readonly name: string; readonly type: string; readonly nullable: boolean }
export type CsdlType = {
  readonly name: string
  readonly base: string | null
  readonly open: boolean
  readonly properties: readonly CsdlProperty[]
  readonly navigation: readonly CsdlProperty[]
}
export type CsdlOperation = {
  readonly name: string
  readonly boundTo: string
  readonly parameters: readonly CsdlProperty[]
}
export type Csdl = {
  readonly types: ReadonlyMap<string, CsdlType>
  readonly enums: ReadonlyMap<string, readonly string[]>
  readonly actions: readonly CsdlOperation[]
}

export const readCsdl = (xml: string): Csdl => {
  const types = [...elements(xml, '(?:EntityType|ComplexType)')].map(([attributes, inner]): CsdlType => {
    const named = attributesOf(attributes)
    return {
      name: required(named, 'Name'),
      base: named.get('BaseType')?.replace(/^graph\./, '') ?? null,
      open: named.get('OpenType') === 'true',
      properties: propertiesOf(inner, 'Property'),
      navigation: propertiesOf(inner, 'NavigationProperty'),
    }
  })
  const enums = [...elements(xml, 'EnumType')].map(
    ([attributes, inner]) =>
      [required(attributesOf(attributes), 'Name'), propertiesOf(inner, 'Member').map(({ name }) => name)] as const,
  )
  const actions = [...elements(xml, 'Action')].map(([attributes, inner]): CsdlOperation => {
    const [binding, ...parameters] = propertiesOf(inner, 'Parameter')
    return {
      name: required(attributesOf(attributes), 'Name'),
      boundTo: binding?.type.replace(/^Collection\((.*)\)$/, '$1').replace(/^graph\./, '') ?? '',
      parameters,
    }
  })
  return { types: new Map(types.map((type) => [type.name, type])), enums: new Map(enums), actions }
}

function* elements(xml: string, name: string): Generator<readonly [attributes: string, inner: string]> {
  // An element without content, or one with: none of these kinds nests in itself.
  const pattern = new RegExp(`<(${name})\\b([^>]*?)(?:/>|>([\\s\\S]*?)</\\1>)`, 'g')
  for (const [, , attributes = '', inner = ''] of xml.matchAll(pattern)) yield [attributes, inner]
}

const propertiesOf = (inner: string, name: string): readonly CsdlProperty[] =>
  [...elements(inner, name)].map(([attributes]) => {
    const named = attributesOf(attributes)
    return {
      name: required(named, 'Name'),
      type: named.get('Type') ?? '',
      nullable: named.get('Nullable') !== 'false',
    }
  })

const attributesOf = (text: string): ReadonlyMap<string, string> =>
  new Map([...text.matchAll(/([\w.]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]))

const required = (attributes: ReadonlyMap<string, string>, name: string): string => {
  const value = attributes.get(name)
  if (value === undefined) throw new Error(`an element of the CSDL has no ${name}`)
  return value
}
