/** The configuration directory of this chapter: examples/everywhere beside the first chapter's bank, less what cannot be had. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { checkout } from '../../stack/download.ts'

export const everywhere = join(checkout, 'examples', 'everywhere')
/** Its own, so that two engines share a broker, a Redis and a directory without meeting. */
export const own = { topic: 'hr.everywhere.v1', group: 'muster-everywhere', prefix: '{everywhere}', unit: 'everywhere' }

type Plain = { readonly [key: string]: unknown }
type Target = Plain & { readonly id: string }
type Policies = {
  readonly entitlements?: Readonly<Record<string, Plain & { readonly target: string }>>
  readonly roles?: Readonly<Record<string, Plain>>
  readonly birthright?: Readonly<Record<string, Plain & { readonly grants: Plain }>>
  readonly sod?: Readonly<Record<string, Plain & { readonly sides: readonly Plain[] }>>
}

export type ConfigFile = { readonly path: string; readonly text: string }

const read = (path: string): ConfigFile => ({ path, text: readFileSync(join(everywhere, path), 'utf8') })

/** The files of examples/everywhere without these targets and what can be given on them. */
export const everywhereFiles = (leftOut: readonly string[], baseDn: string): readonly ConfigFile[] => {
  const elsewhere = (text: string) =>
    text.replaceAll(/ou=(people|groups),dc=bank,dc=example/g, `ou=$1,ou=${own.unit},${baseDn}`)
  const policies = readdirSync(join(everywhere, 'policies')).map((name) => read(join('policies', name)))
  const parsed = policies.map(({ path, text }) => ({ path, policies: parse(elsewhere(text)) as Policies }))
  const gone = new Set(
    parsed.flatMap(({ policies: { entitlements = {} } }) =>
      Object.entries(entitlements).flatMap(([key, { target }]) => (leftOut.includes(target) ? [key] : [])),
    ),
  )
  const { targets, ...file } = parse(elsewhere(read('muster.yaml').text)) as Plain & {
    readonly targets: readonly Target[]
  }
  return [
    {
      path: 'muster.yaml',
      text: stringify({
        ...file,
        sources: [{ id: 'hr', type: 'kafka', topics: [own.topic], group: own.group }],
        queue: { prefix: own.prefix },
        targets: targets.filter(({ id }) => !leftOut.includes(id)),
      }),
    },
    ...parsed.map(({ path, policies: some }) => ({ path, text: stringify(without(some, gone)) })),
  ]
}

const without = (policies: Policies, gone: ReadonlySet<string>): Policies => {
  const some = <T>(all: Readonly<Record<string, T>> | undefined, keep: (key: string, one: T) => T | null) =>
    all === undefined
      ? undefined
      : Object.fromEntries(
          Object.entries(all).flatMap(([key, one]) => {
            const kept = keep(key, one)
            return kept === null ? [] : [[key, kept] as const]
          }),
        )
  /** Without those among its `entitlements`; an empty list would be a mistake. */
  const left = <T extends Plain>(holder: T): Plain => {
    const { entitlements, ...rest } = holder
    if (!Array.isArray(entitlements)) return holder
    const some = entitlements.filter((key) => !gone.has(String(key)))
    return some.length === 0 ? rest : { ...rest, entitlements: some }
  }
  const kept = {
    entitlements: some(policies.entitlements, (key, one) => (gone.has(key) ? null : one)),
    roles: some(policies.roles, (_, one) => left(one)),
    birthright: some(policies.birthright, (_, one) => {
      const grants = left(one.grants)
      return Object.keys(grants).length === 0 ? null : { ...one, grants }
    }),
    sod: some(policies.sod, (_, one) => {
      const sides = one.sides.map(left).filter(({ entitlements }) => entitlements !== undefined)
      return sides.length < 2 ? null : { ...one, sides }
    }),
  }
  return Object.fromEntries(Object.entries(kept).filter(([, section]) => section !== undefined))
}

/** Answers the directory. */
export const writeEverywhere = (dir: string, leftOut: readonly string[], baseDn: string): string => {
  const directory = join(dir, 'everywhere', 'config')
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(join(directory, 'policies'), { recursive: true })
  for (const { path, text } of everywhereFiles(leftOut, baseDn)) writeFileSync(join(directory, path), text)
  return directory
}
