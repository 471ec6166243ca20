import { setTimeout as wait } from 'node:timers/promises'

/** Polls until `read` answers something other than undefined, false or null; the test's own time limit ends it. */
export const until = async <T>(
  read: () => Promise<T | undefined | null | false> | T | undefined | null | false,
): Promise<T> => {
  for (;;) {
    const value = await read()
    if (value !== undefined && value !== null && value !== false) return value
    await wait(20)
  }
}
