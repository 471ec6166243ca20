import {
  findStream,
  listQuarantined,
  type QuarantinedLine,
  type QuarantinedMessageRow,
  type QuarantineFilter,
  readQuarantined,
} from '../store/quarantine.ts'
import type { Engine } from './engine.ts'

type Context = Pick<Engine, 'db'>

/** Messages that wait for a human, by stream and offset. Sources and ids may be personal data: for a terminal, not for logs. */
export const listQuarantine = ({ db }: Context, filter: QuarantineFilter): Promise<readonly QuarantinedLine[]> =>
  listQuarantined(db, filter)

/** One of them with its bytes. */
export const showQuarantined = (
  { db }: Context,
  stream: number,
  offset: number,
): Promise<QuarantinedMessageRow | undefined> => readQuarantined(db, stream, offset)

/** The stream that people call by topic and partition. */
export const streamOf = ({ db }: Context, topic: string, partition: number): Promise<number | undefined> =>
  findStream(db, topic, partition)
