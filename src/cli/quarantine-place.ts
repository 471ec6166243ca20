import type { Office } from '../app/office.ts'
import { streamOf } from '../engine/read-quarantine.ts'
import { failure, usage } from './complaint.ts'

/** TOPIC/PARTITION/OFFSET, or STREAM/OFFSET for a topic that was re-created since. */
export const placeOf = async (
  db: Office['db'],
  text: string | undefined,
): Promise<{ readonly stream: number; readonly offset: number }> => {
  const found = /^(?:(.+)\/)?(\d{1,9})\/(\d{1,15})$/.exec(text ?? '')
  if (found === null)
    throw usage('which message?', 'name its place: TOPIC/PARTITION/OFFSET, as `muster quarantine list` shows it')
  const [, topic, number, offset] = found
  if (topic === undefined) return { stream: Number(number), offset: Number(offset) }
  const stream = await streamOf({ db }, topic, Number(number))
  if (stream === undefined)
    throw failure(
      `partition ${number} of topic ${topic} was never read`,
      '`muster quarantine list` shows what is quarantined',
    )
  return { stream, offset: Number(offset) }
}
