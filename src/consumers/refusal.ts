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

/** It may be made later: worth another try. */
export class TopicMissing extends Error {
  override readonly name = 'TopicMissing'
  /** The topic: what a log line says of an error. */
  readonly code: string
  constructor(topic: string) {
    super(`topic ${topic} does not exist`)
    this.code = topic
  }
}

/** Compaction forgets events that were never read: somebody's termination would be gone without a trace. */
export const refuseUnfit = async (broker: BrokerView, topic: string): Promise<void> => {
  const compacted = await broker.isCompacted(topic).catch((error: unknown) => {
    throw (error as { type?: unknown }).type === 'UNKNOWN_TOPIC_OR_PARTITION' ? new TopicMissing(topic) : error
  })
  if (!compacted) return
  throw new ConsumerRefused(
    `topic ${topic} is compacted: events of one person would replace each other unread`,
    `set its cleanup.policy to delete: kafka-configs --alter --entity-type topics --entity-name ${topic} --add-config cleanup.policy=delete`,
  )
}
