/** Apache Kafka, one KRaft node: broker and controller in one process. */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { cached, fetchFile } from './download.ts'
import { java } from './java.ts'
import { type OnProgress, StackError } from './part.ts'
import { type Ownership, type Server, server } from './process.ts'
import { run } from './run-tool.ts'

const list = 'kafka-4.2.0.jars'
/** Small and quick to start; a laptop that runs everything beside it has no use for the second compiler's warm-up. */
const jvm = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData']

export type KafkaOptions = { readonly dir: string; readonly port: number; readonly controllerPort: number }

export async function kafka(options: KafkaOptions, own: Ownership, onProgress: OnProgress): Promise<Server> {
  const { dir, port } = options
  const logFile = join(dir, 'kafka.log')
  const [program, jars] = await Promise.all([java(), fetchJars(onProgress)])
  const data = join(dir, 'data')
  const properties = join(dir, 'server.properties')
  const base = [...jvm, `-Dlog4j2.configurationFile=${writeLogging(dir)}`, '-cp', `${jars}/*`] as const
  if (own.adopted === undefined) {
    writeFileSync(properties, settings(options, data))
    if (!existsSync(join(data, 'meta.properties'))) {
      onProgress({ part: 'kafka', text: 'formatting storage' })
      const formatted = await emptyStorage(options, (file) => run(program, [...base, ...formatting, '-c', file]))
      rmSync(data, { recursive: true, force: true })
      cpSync(formatted, `${data}.part`, { recursive: true, force: true })
      renameSync(`${data}.part`, data) // whole, or not there
    }
  }
  return server(
    {
      part: 'kafka',
      command: [program, ...base, 'kafka.Kafka', properties],
      cwd: dir,
      logFile,
      stopSignal: 'SIGTERM',
      probe: () => coordinates(`127.0.0.1:${port}`),
      todo: `look at ${logFile}; npm run stack -- reset forgets its data; MUSTER_KAFKA_BROKERS names a Kafka of yours instead`,
    },
    own,
  )
}

const formatting = ['kafka.tools.StorageTool', 'format', '-t', 'bXVzdGVyLW9uLWEtbGFwdA']

/** Storage with nothing in it, made once for all stacks of a checkout: a Java that only formats takes longer than a copy. */
const emptyStorage = (options: KafkaOptions, format: (properties: string) => Promise<unknown>): Promise<string> =>
  cached('kafka-4.2.0-storage', async (into) => {
    const properties = join(options.dir, 'format.properties')
    writeFileSync(properties, settings(options, into))
    await format(properties)
  })

/** Resolves when the group coordinator answers: a fresh broker takes connections about a second before it does. */
export async function coordinates(broker: string): Promise<void> {
  await accepts(broker)
  const retry = { retries: 3, initialRetryTime: 50, maxRetryTime: 100 } // with 0, kafkajs never looks for a broker
  const client = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry, connectionTimeout: 1000 })
  const admin = client.admin()
  try {
    await admin.connect()
    await admin.fetchOffsets({ groupId: 'stack-probe' })
  } finally {
    await admin.disconnect()
  }
}

function accepts(broker: string): Promise<void> {
  const [host, port] = broker.split(':')
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
  })
}

async function fetchJars(onProgress: OnProgress): Promise<string> {
  const base = process.env.MUSTER_MAVEN_URL ?? 'https://repo1.maven.org/maven2'
  try {
    return await cached('kafka-4.2.0', async (into) => {
      const lines = readFileSync(join(import.meta.dirname, list), 'utf8').split('\n')
      const wanted = lines.filter((line) => line && !line.startsWith('#')).map((line) => line.split(/\s+/))
      let done = 0
      const queue = [...wanted]
      const lane = async () => {
        for (let next = queue.shift(); next; next = queue.shift()) {
          const [sha256 = '', path = ''] = next
          await fetchFile(`${base}/${path}`, sha256, join(into, basename(path)))
          done += 1
          onProgress({ part: 'kafka', text: 'downloading Apache Kafka 4.2.0', done, total: wanted.length })
        }
      }
      await Promise.all(Array.from({ length: 8 }, lane))
    })
  } catch (error) {
    const todo =
      'check the network; MUSTER_MAVEN_URL names a mirror of Maven Central, MUSTER_KAFKA_BROKERS a Kafka of yours'
    throw new StackError('kafka', `its jars could not be fetched: ${error}`, todo)
  }
}

function settings({ port, controllerPort }: KafkaOptions, data: string): string {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `log.dirs=${data}`,
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=4',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=2',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    'group.min.session.timeout.ms=1000',
    // A consumer that starts before its topic must say so, and not make one with the wrong number of partitions.
    'auto.create.topics.enable=false',
    // Muster quarantines oversized events; for that they must be able to arrive.
    'message.max.bytes=16777216',
    'replica.fetch.max.bytes=16777216',
    '',
  ].join('\n')
}

function writeLogging(dir: string): string {
  const file = join(dir, 'log4j2.properties')
  mkdirSync(dirname(file), { recursive: true })
  const lines = [
    'status=error',
    'appender.out.type=Console',
    'appender.out.name=out',
    'appender.out.layout.type=PatternLayout',
  ]
  lines.push(
    'appender.out.layout.pattern=%d %p %m (%c)%n',
    'rootLogger.level=warn',
    'rootLogger.appenderRef.out.ref=out',
    '',
  )
  writeFileSync(file, lines.join('\n'))
  return file
}
