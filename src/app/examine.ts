import type { Config, ConfigDirectory, Loaded } from '../config.ts'
import { createBrokerView } from '../consumers/broker-view.ts'
import { createKafka } from '../consumers/kafka-client.ts'
import { knownAttributes } from '../domain/attributes.ts'
import type { TargetMode } from '../domain/target.ts'
import { policyHash } from '../engine/apply-policy.ts'
import { databaseRefusals } from '../engine/check-rights.ts'
import { createLog } from '../log.ts'
import { parsePolicies } from '../policies/parse.ts'
import { openDatabase, type Queryable } from '../store/database.ts'
import { plansAs } from '../store/plans-as.ts'
import { activeHash } from '../store/policy-versions.ts'
import { several, targetModes } from '../store/targets.ts'
import { openRedis, within } from '../workers/redis-link.ts'
import type { Answer } from './answer.ts'
import { examineEngine } from './examine-engine.ts'
import { examinedTarget } from './examine-target.ts'
import { lookupProblemOn } from './lookup-problems.ts'
import { otherModes } from './other-modes.ts'
import { connectorByHand } from './targets.ts'

/** One part that Muster needs, looked at from where Muster would run. */
export type Examined = {
  readonly part: string
  readonly ok: boolean
  /** When ok: what is worth knowing. Else what is wrong, with what to do. Then, of a target, as whom and with which rights, and what it does not tell. */
  readonly remarks: readonly string[]
}

/** What `muster doctor` is told: a variable that is not set is the trouble of its part, and the others are looked at. */
export type Examinable = ConfigDirectory['file'] &
  Pick<ConfigDirectory, 'policyFiles'> & {
    readonly databaseUrl: Loaded<string>
    readonly redisUrl: Loaded<string>
    readonly kafka: Loaded<Config['kafka']>
  }

const patienceMs = 8_000
/** A part is connected to, and then asked something. */
const connectPatienceMs = 7_000
/** A target's own words of why it does not answer come before it is given up. */
const targetPatienceMs = 7_000
/** What a target must permit depends on its mode, which the database has. */
const modesPatienceMs = 5_000

/** Looks at every part side by side and changes nothing. A part that does not answer is a finding, not a wait. */
export const examine = (config: Examinable): Promise<readonly Examined[]> => {
  const modes = modesOf(config.databaseUrl)
  return Promise.all([
    looked('policies', async () => examinePolicies(config)),
    looked('database', () => told(config.databaseUrl, (url) => examineDatabase(config, url)), { hint: databaseHint }),
    looked('engine', () => told(config.databaseUrl, examineEngine), { hint: databaseHint }),
    looked('redis', () => told(config.redisUrl, examineRedis)),
    looked('kafka', () => told(config.kafka, (kafka) => examineKafka(config, kafka))),
    ...config.targets.map((target) =>
      looked(`target ${target.id}`, () => examineTarget(target, modes), { ms: patienceMs + modesPatienceMs }),
    ),
  ])
}

const databaseHint = 'check MUSTER_DATABASE_URL, and that PostgreSQL runs'

const looked = async (
  part: string,
  look: () => Promise<Answer>,
  { ms = patienceMs, hint }: { readonly ms?: number; readonly hint?: string } = {},
): Promise<Examined> => {
  try {
    const { problems, remarks = [], facts = [] } = await within(ms, look())
    const ok = problems.length === 0
    return { part, ok, remarks: [...(ok ? remarks : problems), ...facts] }
  } catch (error) {
    const text = error instanceof Error ? error.message || error.name : String(error)
    return { part, ok: false, remarks: [hint === undefined ? text : `${text}: ${hint}`] }
  }
}

const told = async <T>(given: Loaded<T>, look: (value: T) => Promise<Answer>): Promise<Answer> =>
  given.ok
    ? look(given.value)
    : {
        problems: given.problems.map(({ where, message, hint }) =>
          [`${where} ${message}`, ...(hint === null ? [] : [hint])].join(': '),
        ),
      }

/** Where the database does not tell them, muster.yaml does: that says what is wanted at the first start. */
const modesOf = async (url: Loaded<string>): Promise<ReadonlyMap<string, TargetMode>> => {
  if (!url.ok) return new Map()
  const db = openDatabase({ url: url.value, max: 1, applicationName: 'muster-doctor' })
  try {
    return await within(modesPatienceMs, targetModes(db))
  } catch {
    return new Map()
  } finally {
    db.close().catch(() => {})
  }
}

const examinePolicies = (config: Examinable): Answer => {
  const parsed = parsePolicies(config.policyFiles, {
    attributes: knownAttributes,
    targets: config.targets.map(({ id }) => id),
    lookupProblem: lookupProblemOn(config.targets),
  })
  return parsed.kind === 'ok'
    ? { problems: [], remarks: [`files: ${config.policyFiles.length}, mistakes: none`] }
    : { problems: [`mistakes: ${parsed.problems.length}; \`muster policy check\` explains them`] }
}

const examineDatabase = async (config: Examinable, url: string): Promise<Answer> => {
  const db = openDatabase({ url, max: 1, applicationName: 'muster-doctor' })
  try {
    const problems = await databaseRefusals(db)
    if (problems.length > 0) return { problems }
    const active = await activeHash(db)
    if (active === null)
      return {
        problems: [],
        remarks: ['no policy is active yet: the first `muster serve` takes the one of the directory'],
      }
    const parsed = parsePolicies(config.policyFiles, {
      attributes: knownAttributes,
      targets: config.targets.map(({ id }) => id),
    })
    const same = parsed.kind === 'ok' && policyHash(parsed.set) === active.hash
    return {
      problems: [],
      remarks: [
        `policy version ${active.version} is active${same ? '' : ', and the directory holds another: `muster policy apply`'}`,
        ...(await severalPlans(db)),
        ...otherModes(config.targets, await targetModes(db)).map(({ target, remark }) => `${target}: ${remark}`),
      ],
    }
  } finally {
    await db.close()
  }
}

/** Whom one of them evaluated, the other has not: until one is left, nobody knows by which of them people are planned. */
const severalPlans = async (db: Queryable): Promise<readonly string[]> =>
  [...(await plansAs(db))].flatMap(([target, { plannedBy, living }]) => {
    if (living.length > 1)
      return [
        `${target}: processes at work, or that came and went within ten minutes, have different muster.yaml: restart those with the older one; once it has been silent everybody is evaluated by the other`,
      ]
    if (plannedBy !== several) return []
    return [
      `${target}: people were evaluated by different muster.yaml: ${living.length === 1 ? 'they are evaluated again within a minute or two' : '`muster serve` evaluates them again'}`,
    ]
  })

const examineRedis = async (url: string): Promise<Answer> => {
  const redis = openRedis(url, createLog('silent', 'muster-doctor'))
  try {
    if (!(await answers(redis.reachable)))
      return {
        problems: [
          `does not answer within ${connectPatienceMs / 1_000} s: check MUSTER_REDIS_URL; leavers do not depend on it, joiners do`,
        ],
      }
    const policy = await redis.memoryPolicy()
    if (policy !== null && policy !== 'noeviction')
      return { problems: [`maxmemory-policy is ${policy}: jobs may be thrown away; set it to noeviction`] }
    return { problems: [], remarks: [`maxmemory-policy ${policy ?? 'is not told'}`] }
  } finally {
    redis.close()
  }
}

const answers = async (reachable: () => boolean): Promise<boolean> => {
  const until = performance.now() + connectPatienceMs
  while (!reachable() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 50))
  return reachable()
}

const examineKafka = async (config: Examinable, kafka: Config['kafka']): Promise<Answer> => {
  const broker = createBrokerView(createKafka(kafka, 'muster-doctor', createLog('silent', 'muster-doctor')))
  try {
    if (!(await broker.reachable()))
      return {
        problems: ['no broker answers: check MUSTER_KAFKA_BROKERS (and MUSTER_KAFKA_TLS_*, MUSTER_KAFKA_SASL_*)'],
      }
    const topics = await Promise.all(
      config.sources.flatMap(({ topics: names }) =>
        names.map(async (topic) => {
          const ends = await broker.ends(topic).catch(() => null)
          if (ends === null)
            return {
              problem: `topic ${topic} is not there, or may not be read: create it, or grant Read and Describe`,
              remark: '',
            }
          if (await broker.isCompacted(topic))
            return {
              problem: `topic ${topic} is compacted: events would replace each other unread; set cleanup.policy=delete`,
              remark: '',
            }
          return { problem: null, remark: `topic ${topic}, partitions: ${ends.length}` }
        }),
      ),
    )
    return { problems: topics.flatMap(({ problem }) => problem ?? []), remarks: topics.map(({ remark }) => remark) }
  } finally {
    await broker.close()
  }
}

const examineTarget = async (
  target: Config['targets'][number],
  modes: Promise<ReadonlyMap<string, TargetMode>>,
): Promise<Answer> => {
  const mode = (await modes).get(target.id) ?? target.mode
  const connector = await connectorByHand(target, null)
  try {
    return await examinedTarget(connector, { ...target, mode }, targetPatienceMs)
  } finally {
    await connector.close()
  }
}
