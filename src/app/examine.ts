import type { Config } from '../config.ts'
import { createBrokerView } from '../consumers/broker-view.ts'
import { createKafka } from '../consumers/kafka-client.ts'
import { knownAttributes } from '../domain/attributes.ts'
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

const patienceMs = 8_000
/** A target's own words of why it does not answer come before it is given up. */
const targetPatienceMs = 7_000

/** Looks at every part side by side and changes nothing. A part that does not answer is a finding, not a wait. */
export const examine = (config: Config): Promise<readonly Examined[]> =>
  Promise.all([
    looked('policies', async () => examinePolicies(config)),
    looked('database', () => examineDatabase(config)),
    looked('engine', () => examineEngine(config.databaseUrl)),
    looked('redis', () => examineRedis(config)),
    looked('kafka', () => examineKafka(config)),
    ...config.targets.map((target) => looked(`target ${target.id}`, () => examineTarget(target))),
  ])

const looked = async (part: string, look: () => Promise<Answer>): Promise<Examined> => {
  try {
    const { problems, remarks = [], facts = [] } = await within(patienceMs, look())
    const ok = problems.length === 0
    return { part, ok, remarks: [...(ok ? remarks : problems), ...facts] }
  } catch (error) {
    return { part, ok: false, remarks: [error instanceof Error ? error.message || error.name : String(error)] }
  }
}

const examinePolicies = (config: Config): Answer => {
  const parsed = parsePolicies(config.policyFiles, {
    attributes: knownAttributes,
    targets: config.targets.map(({ id }) => id),
    lookupProblem: lookupProblemOn(config.targets),
  })
  return parsed.kind === 'ok'
    ? { problems: [], remarks: [`files: ${config.policyFiles.length}, mistakes: none`] }
    : { problems: [`mistakes: ${parsed.problems.length}; \`muster policy check\` explains them`] }
}

const examineDatabase = async (config: Config): Promise<Answer> => {
  const db = openDatabase({ url: config.databaseUrl, max: 1, applicationName: 'muster-doctor' })
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
        `${target}: processes at work have different muster.yaml: restart those with the older one; a minute or two later everybody is evaluated by the other`,
      ]
    if (plannedBy !== several) return []
    return [
      `${target}: people were evaluated by different muster.yaml: ${living.length === 1 ? 'they are evaluated again within a minute or two' : '`muster serve` evaluates them again'}`,
    ]
  })

const examineRedis = async (config: Config): Promise<Answer> => {
  const redis = openRedis(config.redisUrl, createLog('silent', 'muster-doctor'))
  try {
    if (!(await answers(redis.reachable)))
      return { problems: ['does not answer: check MUSTER_REDIS_URL; leavers do not depend on it, joiners do'] }
    const policy = await redis.memoryPolicy()
    if (policy !== null && policy !== 'noeviction')
      return { problems: [`maxmemory-policy is ${policy}: jobs may be thrown away; set it to noeviction`] }
    return { problems: [], remarks: [`maxmemory-policy ${policy ?? 'is not told'}`] }
  } finally {
    redis.close()
  }
}

const answers = async (reachable: () => boolean): Promise<boolean> => {
  const until = performance.now() + 3_000
  while (!reachable() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 50))
  return reachable()
}

const examineKafka = async (config: Config): Promise<Answer> => {
  const broker = createBrokerView(createKafka(config.kafka, 'muster-doctor', createLog('silent', 'muster-doctor')))
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

const examineTarget = async (target: Config['targets'][number]): Promise<Answer> => {
  const connector = await connectorByHand(target, null)
  try {
    return await examinedTarget(connector, target, targetPatienceMs)
  } finally {
    await connector.close()
  }
}
