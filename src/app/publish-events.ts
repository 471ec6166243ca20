import type { KafkaConnection } from '../config/environment.ts'
import { type OutgoingMessage, publish } from '../consumers/publish.ts'
import { createLog } from '../log.ts'

export type { OutgoingMessage }

/** HR events to a topic, in order; resolves when the brokers have acknowledged the last one. */
export const publishEvents = (
  connection: KafkaConnection,
  topic: string,
  messages: readonly OutgoingMessage[],
  onProgress: (sent: number, total: number) => void,
): Promise<void> => publish({ connection, log: createLog('silent', 'muster-publish'), onProgress }, topic, messages)
