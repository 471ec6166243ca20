import { connect as connectPlain, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs'
import type { Log } from '../log.ts'
import { readAllCompressions } from './compression.ts'

/** Where Kafka is and how to be let in. */
export type KafkaConnection = {
  readonly brokers: readonly string[]
  /** PEM texts; true: TLS with the system's authorities; false: no TLS. */
  readonly tls: boolean | { readonly ca?: string; readonly cert?: string; readonly key?: string }
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  } | null
}

/** An unencrypted, unauthenticated broker: tests and the local stack. */
export const plainConnection = (brokers: readonly string[]): KafkaConnection => ({ brokers, tls: false, sasl: null })

export const createKafka = ({ brokers, tls, sasl }: KafkaConnection, clientId: string, log: Log): Kafka => {
  readAllCompressions()
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ssl: typeof tls === 'boolean' ? tls : { ...tls },
    ...(sasl === null ? {} : { sasl: sasl as SASLOptions }),
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 10 },
    socketFactory,
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ namespace, level, log: { message } }) => {
        // A broker that restarts fills the log with what kafkajs copes with by itself; what it cannot is told by its events.
        log.debug({ kafkajs: namespace, kafkajsLevel: level }, message)
      },
  })
}

/** As kafkajs makes them, but small requests leave at once: a commit and a fetch must not wait for an acknowledgement. */
const socketFactory: KafkaConfig['socketFactory'] = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
    : connectPlain({ host, port }, onConnect)
  socket.setKeepAlive(true, 60_000)
  socket.setNoDelay(true)
  return socket
}
