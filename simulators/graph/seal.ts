/** Opaque tokens of nextLink and deltaLink: only this service makes them, and it keeps no list of them. */
import { createHmac, timingSafeEqual } from 'node:crypto'

export type Seal = { readonly seal: (value: unknown) => string; readonly unseal: (token: string) => unknown }

export const makeSeal = (key: Buffer): Seal => {
  const sign = (text: string): Buffer => createHmac('sha256', key).update(text).digest().subarray(0, 12)
  return {
    seal: (value) => {
      const text = Buffer.from(JSON.stringify(value)).toString('base64url')
      return `${text}${sign(text).toString('base64url')}`
    },
    /** undefined: not one of ours. */
    unseal: (token) => {
      const [text, mark] = [token.slice(0, -16), Buffer.from(token.slice(-16), 'base64url')]
      const expected = sign(text)
      if (mark.length !== expected.length || !timingSafeEqual(mark, expected)) return undefined
      return JSON.parse(Buffer.from(text, 'base64url').toString())
    },
  }
}
