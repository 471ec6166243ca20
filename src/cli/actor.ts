import { userInfo } from 'node:os'
import type { Actor } from '../domain/actor.ts'

/** The operating system's user: who typed it, as far as anybody can tell here. Nobody was asked for a password. */
export const osActor = (): Actor => ({ type: 'os-user', name: userName(), authenticated: false })

const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}` // a container's user without an entry in passwd
  }
}
