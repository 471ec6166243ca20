export type FindingKey = { readonly kind: string; readonly key: string; readonly detail: unknown }
export type StreamPlace = { readonly topic: string; readonly partition: number; readonly current: boolean }

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:/

const numberOf = (detail: unknown, name: string): number | null => {
  const value = (detail as Readonly<Record<string, unknown>> | null)?.[name]
  return typeof value === 'number' ? value : null
}

/** The entitlement that it is about, by its number; null: none. */
export const entitlementIn = ({ kind, key, detail }: FindingKey): number | null => {
  const told = numberOf(detail, 'entitlement')
  if (told !== null || kind !== 'guard-tripped') return told
  const [last] = key.split(':').slice(-1)
  return last !== undefined && /^\d{1,9}$/.test(last) ? Number(last) : null
}

export const streamIn = ({ detail }: FindingKey): number | null => numberOf(detail, 'stream')

const endsInEntitlement: ReadonlySet<string> = new Set(['guard-tripped', 'members-uncorrelated'])

/** By the names that people know: nobody knows our numbers, nor whose a subject reference is. */
export const aboutText = (
  finding: FindingKey,
  entitlement: string | null,
  streams: ReadonlyMap<number, StreamPlace>,
): string => {
  const { kind, key, detail } = finding
  const stream = streamIn(finding)
  const offset = numberOf(detail, 'offset') ?? numberOf(detail, 'from')
  if (stream !== null && offset !== null) {
    const place = streams.get(stream)
    // A topic that was made anew has other messages at these offsets now: see quarantine-place.
    return place?.current === true ? `${place.topic}/${place.partition}/${offset}` : `${stream}/${offset}`
  }
  if (key.startsWith('action:')) return `action ${key.slice('action:'.length)}`
  if (endsInEntitlement.has(kind)) return entitlement === null ? key : key.replace(/\d+$/, entitlement)
  const rest = key.replace(uuid, '')
  return entitlement !== null && /^\d+$/.test(rest) ? entitlement : rest
}

/** How long ago, in the largest unit that has a whole one of it. */
export const ageText = (seconds: number): string => {
  const [count, unit] = units
    .map(([size, name]) => [Math.floor(seconds / size), name] as const)
    .find(([n]) => n > 0) ?? [0, 's']
  return `${count} ${unit}`
}
const units = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const

/** What `about` does not say already; entitlements by their names, and accounts that have one in `accountNames`. */
export const detailText = (
  finding: FindingKey,
  entitlement: string | null,
  accountNames: Readonly<Record<string, string | null>> = {},
): string => {
  const placed = streamIn(finding) === null ? [] : ['stream', 'offset', 'topic', 'partition']
  const action = /^action:(\d+)$/.exec(finding.key)?.[1] ?? null
  const ids = Object.keys(accountNames)
  return (
    Object.entries({
      ...(finding.detail as Readonly<Record<string, unknown>> | null),
      ...(entitlement === null ? {} : { entitlement }),
      ...(ids.length === 0 ? {} : { accounts: ids.map((id) => accountNames[id] ?? id).join('; ') }),
    })
      .filter(([name, value]) => !placed.includes(name) && value !== null && value !== '')
      // Prepared for a human, and long: `show action` has it whole.
      .map(
        ([name, value]) =>
          `${name}=${name === 'todo' && action !== null ? `\`muster show action ${action}\`` : String(value)}`,
      )
      .join(' ')
  )
}
