/** Where servers of the tests keep their data. */
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '../../scripts/stack/download.ts'
import { isAlive } from '../../scripts/stack/process.ts'
import { readState } from '../../scripts/stack/state.ts'

const memory = '/dev/shm'
/** A run of all tests keeps less than half of this. */
const roomBytes = 6 * 2 ** 30
const prefix = 'test-'
const onDisk = join(checkout, '.stack')
/** Of this checkout and this user: two may test at a time. */
const inMemory = join(
  memory,
  `muster-${process.getuid?.() ?? 0}-${createHash('sha256').update(checkout).digest('hex').slice(0, 12)}`,
)

let home: string | undefined

/** A directory that is not there yet, for one of this process's servers, or for the parts of a whole run. */
export const testDirectory = (name = ''): string => {
  home ??= hasRoom() && isOurs(inMemory) ? inMemory : onDisk
  return join(home, name === '' ? `${prefix}${process.pid}` : `${prefix}${process.pid}-${name}`)
}

/** Databases are made and dropped for almost every test: hundreds of files each time, which a disk is slow at. */
const hasRoom = (): boolean => {
  try {
    const { bavail, bsize } = statfsSync(memory)
    return bavail * bsize >= roomBytes && process.availableMemory() >= roomBytes
  } catch {
    return false
  }
}

/** Everybody may write there: somebody else's directory of that name is not taken. */
const isOurs = (dir: string): boolean => {
  try {
    mkdirSync(dir, { recursive: true })
    const found = lstatSync(dir)
    return found.isDirectory() && found.uid === process.getuid?.()
  } catch {
    return false
  }
}

/** An interrupted run leaves no process, but its directories. */
export const forgetInterrupted = (): void => {
  for (const place of [onDisk, inMemory]) {
    for (const name of entriesOf(place).filter((entry) => entry.startsWith(prefix))) {
      const dir = join(place, name)
      if (!isAlive(readState(dir).owner)) rmSync(dir, { recursive: true, force: true })
    }
  }
}

const entriesOf = (dir: string): readonly string[] => {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
