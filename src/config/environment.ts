import { existsSync, readFileSync } from 'node:fs'
import type { Environment } from './secret-reference.ts'

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

export type EnvironmentProblem = { readonly variable: string; readonly message: string; readonly hint: string }

const hints = {
  MUSTER_DATABASE_URL:
    "the engine's own role, e.g. postgresql://muster_engine:…@host:5432/muster (`npm run stack -- up` prints one for here; of a demo that was kept: `. .stack/demo/env`)",
  MUSTER_MIGRATE_DATABASE_URL: 'a role that may create schemas and roles; only `muster migrate` uses it',
  MUSTER_AUDITOR_DATABASE_URL: "the auditors' read-only role, e.g. postgresql://muster_auditor:…@host:5432/muster",
  MUSTER_REDIS_URL: 'e.g. redis://host:6379 or rediss://…',
  MUSTER_KAFKA_BROKERS: 'e.g. host:9092,host2:9092',
} as const

type Variable = keyof typeof hints
const schemes: Partial<Record<Variable, RegExp>> = {
  MUSTER_DATABASE_URL: /^postgres(ql)?:\/\//,
  MUSTER_MIGRATE_DATABASE_URL: /^postgres(ql)?:\/\//,
  MUSTER_AUDITOR_DATABASE_URL: /^postgres(ql)?:\/\//,
  MUSTER_REDIS_URL: /^(rediss?|unix):\/\//,
}

/** One variable that must be there; what is wrong with it is added to `problems`, its value never is. */
export const required = (env: Environment, variable: Variable, problems: EnvironmentProblem[]): string => {
  const value = env[variable] ?? ''
  if (value === '') problems.push({ variable, message: 'is not set', hint: hints[variable] })
  else if (schemes[variable] !== undefined && !schemes[variable].test(value))
    problems.push({ variable, message: 'does not read as a URL of that kind', hint: hints[variable] })
  return value
}

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

export const kafkaConnection = (env: Environment, problems: EnvironmentProblem[]): KafkaConnection => {
  const brokers = required(env, 'MUSTER_KAFKA_BROKERS', problems)
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '')
  for (const broker of brokers)
    if (!/^.+:\d+$/.test(broker))
      problems.push({
        variable: 'MUSTER_KAFKA_BROKERS',
        message: 'holds a broker without a port',
        hint: hints.MUSTER_KAFKA_BROKERS,
      })
  return { brokers, tls: tls(env, problems), sasl: sasl(env, problems) }
}

const tls = (env: Environment, problems: EnvironmentProblem[]): KafkaConnection['tls'] => {
  const pem = (variable: string): string | undefined => {
    const path = env[variable]
    if (path === undefined || path === '') return undefined
    if (existsSync(path)) return readFileSync(path, 'utf8')
    problems.push({ variable, message: 'names a file that is not there', hint: 'give the path of a PEM file' })
    return undefined
  }
  const given = {
    ca: pem('MUSTER_KAFKA_TLS_CA_FILE'),
    cert: pem('MUSTER_KAFKA_TLS_CERT_FILE'),
    key: pem('MUSTER_KAFKA_TLS_KEY_FILE'),
  }
  if ((given.cert === undefined) !== (given.key === undefined))
    problems.push({
      variable: 'MUSTER_KAFKA_TLS_CERT_FILE',
      message: 'and MUSTER_KAFKA_TLS_KEY_FILE belong together',
      hint: 'set both, or none',
    })
  if (given.ca !== undefined || given.cert !== undefined) return given
  return env.MUSTER_KAFKA_TLS === 'true'
}

const sasl = (env: Environment, problems: EnvironmentProblem[]): KafkaConnection['sasl'] => {
  const {
    MUSTER_KAFKA_SASL_USERNAME: username = '',
    MUSTER_KAFKA_SASL_PASSWORD: password = '',
    MUSTER_KAFKA_SASL_MECHANISM: written = '',
  } = env
  if (username === '' && password === '' && written === '') return null
  const mechanism = mechanisms.find((known) => known === written.toLowerCase())
  if (mechanism === undefined)
    problems.push({
      variable: 'MUSTER_KAFKA_SASL_MECHANISM',
      message: 'is not a mechanism known here',
      hint: `one of ${mechanisms.join(', ')}`,
    })
  if (username === '')
    problems.push({
      variable: 'MUSTER_KAFKA_SASL_USERNAME',
      message: 'is not set',
      hint: 'SASL needs both name and password',
    })
  if (password === '')
    problems.push({
      variable: 'MUSTER_KAFKA_SASL_PASSWORD',
      message: 'is not set',
      hint: 'SASL needs both name and password',
    })
  return { mechanism: mechanism ?? 'plain', username, password }
}
