import { fork } from 'node:child_process'
import { join } from 'node:path'
import { checkout } from '../../scripts/stack/download.ts'
import type { Ground } from '../house/ground.ts'
import { within } from '../house/serve.ts'
import { processorSeconds } from '../measure/processor-time.ts'
import type { NaiveSettings } from './engine.ts'
import type { FromNaive, ToNaive } from './main.ts'

export type NaivePools = {
  readonly jobsAtOnce: number
  readonly ldapConnections: number
  readonly databaseConnections: number
}

/**
 * What Muster has by default: two dispatches of a target in work in the lane that does the work, and eight database
 * connections in each of its two threads. To the directory a lane has one connection that writes memberships, one that reads
 * and one more for accounts; the naive engine has one for each job, for it could use no more.
 */
export const naivePools: NaivePools = { jobsAtOnce: 2, ldapConnections: 2, databaseConnections: 16 }
/** Twice the dispatches: what both lanes together could have in work. */
export const twicePools: NaivePools = { jobsAtOnce: 4, ldapConnections: 4, databaseConnections: 16 }

export type NaiveProcess = {
  readonly processor: () => number
  /** Moment (ms since 1970) when so many jobs were done in all. */
  readonly done: (jobs: number, withinMs: number) => Promise<number>
  readonly stop: () => Promise<void>
}

export const naiveLdapOf = ({ bench: { ldap } }: Ground): NaiveSettings['ldap'] => ({
  url: ldap.url,
  caFile: ldap.caFile,
  bindDn: ldap.serviceDn,
  password: ldap.servicePassword,
})

export const startNaive = async (ground: Ground, pools = naivePools): Promise<NaiveProcess> => {
  const settings: NaiveSettings = {
    brokers: ground.bench.stack.kafkaBrokers,
    topic: ground.topic,
    redisUrl: ground.bench.stack.redisUrl,
    prefix: `{naive-${ground.name}}`,
    databaseUrl: ground.engineUrl,
    ldap: naiveLdapOf(ground),
    peopleBase: ground.people.base,
    groupsBase: ground.groups,
    ...pools,
  }
  const child = fork(join(checkout, 'bench/naive/main.ts'), {
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    env: { PATH: process.env.PATH, KAFKAJS_NO_PARTITIONER_WARNING: '1', BENCH_NAIVE: JSON.stringify(settings) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const guard = () => child.kill('SIGKILL')
  process.once('exit', guard)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  void ended.then(() => process.off('exit', guard))
  const answer = (ms: number) =>
    within(
      ms,
      new Promise<FromNaive>((resolve, reject) => {
        child.once('message', (message) => resolve(message as FromNaive))
        void ended.then(() => reject(new Error('the naive engine ended')))
      }),
      () => 'the naive engine does not answer',
    )
  await answer(30_000)
  return {
    processor: () => processorSeconds(child.pid),
    done: async (jobs, withinMs) => {
      child.send({ jobs } satisfies ToNaive)
      const message = await answer(withinMs)
      if (typeof message === 'object' && 'doneAt' in message) return message.doneAt
      throw new Error(`the naive engine failed: ${JSON.stringify(message)}`)
    },
    stop: async () => {
      child.send('stop' satisfies ToNaive)
      await within(20_000, ended, () => 'the naive engine does not stop').catch(() => child.kill('SIGKILL'))
    },
  }
}
