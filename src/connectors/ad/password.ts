import { randomBytes } from 'node:crypto'

/**
 * A password that nobody ever knows, as unicodePwd takes it: quoted UTF-16LE (MS-ADTS §3.1.1.3.1.5.1). 24 random bytes, and a
 * character of each class, since complexity rules count classes.
 */
export const forgottenPassword = (): Buffer => Buffer.from(`"aA1-${randomBytes(24).toString('base64url')}"`, 'utf16le')
