import { readdirSync, readFileSync } from 'node:fs'

/** Seconds of processor that a process and all that it started have used, ended children included. 0 where /proc is not. */
export const processorSeconds = (pid: number | undefined): number => {
  if (pid === undefined) return 0
  const parents = new Map<number, number[]>()
  const ticks = new Map<number, number>()
  for (const name of safely(() => readdirSync('/proc'), [])) {
    if (!/^\d+$/.test(name)) continue
    const stat = safely(() => readFileSync(`/proc/${name}/stat`, 'utf8'), '')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const parent = Number(fields[1])
    parents.set(parent, [...(parents.get(parent) ?? []), Number(name)])
    // utime, stime, and those of reaped children
    ticks.set(
      Number(name),
      [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0),
    )
  }
  const sum = (of: number): number =>
    (ticks.get(of) ?? 0) + (parents.get(of) ?? []).reduce((total, child) => total + sum(child), 0)
  return sum(pid) / ticksPerSecond
}

/** USER_HZ: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** Resident memory now and at its highest, MiB. NaN where /proc is not. */
export const residentMemory = (pid: number): { readonly now: number; readonly highest: number } => {
  const status = safely(() => readFileSync(`/proc/${pid}/status`, 'utf8'), '')
  const of = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
  return { now: of('VmRSS'), highest: of('VmHWM') }
}

const safely = <T>(read: () => T, otherwise: T): T => {
  try {
    return read()
  } catch {
    return otherwise // it ended meanwhile
  }
}
