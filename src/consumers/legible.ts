import { isObject } from './cloud-event.ts'

const terminated = /"status"\s*:\s*"terminated"/i

/**
 * Whether a message that could not be accepted says that somebody's employment ended: in the parsed event where there
 * is one, else anywhere in the bytes, however broken they are.
 */
export const looksLikeTermination = (raw: Uint8Array | null, event: unknown): boolean => {
  if (raw === null) return false
  const data = isObject(event) ? (event.data ?? event) : undefined
  const worker = isObject(data) ? (data.worker ?? data) : undefined
  const status = isObject(worker) ? worker.status : undefined
  if (typeof status === 'string') return status.trim().toLowerCase() === 'terminated'
  return terminated.test(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('latin1'))
}
