import type { BrokerView } from './broker-view.ts'

/** A topic that must not be read, and what to do about it. */
export class ConsumerRefused extends Error {
  override readonly name = 'ConsumerRefused'
  readonly hint: string
  constructor(message: string, hint: string) {
    super(message)
    this.hint = hint
  }
}

/** Compaction forgets events that were never read: somebody's termination would be gone without a trace. */
export const refuseCompacted = async (broker: BrokerView, topic: string): Promise<void> => {
  if (!(await broker.isCompacted(topic))) return
  throw new ConsumerRefused(
    `topic ${topic} is compacted: events of one person would replace each other unread`,
    `set its cleanup.policy to delete: kafka-configs --alter --entity-type topics --entity-name ${topic} --add-config cleanup.policy=delete`,
  )
}
