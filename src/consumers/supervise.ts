import type { Consumer } from 'kafkajs'
import { errorFields, type Log } from '../log.ts'
import type { BrokerView } from './broker-view.ts'

export type SuperviseOptions = {
  readonly consumer: Consumer
  readonly broker: BrokerView
  readonly log: Log
  /** How long kafkajs may say nothing while the broker answers, ms. */
  readonly patienceMs: number
  readonly onFatal: (why: string) => void
}

/**
 * Sees when kafkajs has stopped for good. It says so itself (a crash without a restart), or it neither fetches nor beats
 * for long although the broker answers. An outage of the broker is waited for: everything else of this
 * process still has work.
 */
export const supervise = ({
  consumer,
  broker,
  log,
  patienceMs,
  onFatal,
}: SuperviseOptions): { readonly stop: () => void } => {
  let lastSign = performance.now()
  let over = false
  const sign = () => {
    lastSign = performance.now()
  }
  const fatal = (why: string) => {
    if (over) return
    over = true
    clearInterval(looking)
    log.error({ why }, 'the consumer has stopped for good')
    onFatal(why)
  }

  consumer.on(consumer.events.HEARTBEAT, sign)
  consumer.on(consumer.events.FETCH, sign)
  consumer.on(consumer.events.GROUP_JOIN, sign)
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    log.warn({ restart, ...errorFields(error) }, 'kafkajs crashed')
    if (!restart) fatal('kafkajs gave up')
  })

  const look = async () => {
    if (performance.now() - lastSign < patienceMs) return
    if (!(await broker.reachable())) {
      log.warn({}, 'Kafka does not answer: waiting')
      sign()
    } else if (performance.now() - lastSign >= patienceMs) fatal('no sign of life from kafkajs')
  }
  const looking = setInterval(() => void look(), patienceMs / 4)

  return {
    stop: () => {
      over = true
      clearInterval(looking)
    },
  }
}
