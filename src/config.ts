import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { type EnvironmentProblem, type KafkaConnection, kafkaConnection, required } from './config/environment.ts'
import { fileProblems, withoutEffectsOf } from './config/file-problems.ts'
import { type MusterFile, musterFile } from './config/muster-file.ts'
import { readPolicyFiles } from './config/policy-files.ts'
import { type SecretFile, withReferencesResolved, withStandIns } from './config/references.ts'
import type { Environment } from './config/secret-reference.ts'
import type { Problem } from './policies/problem.ts'
import { type PolicyFile, readYamlFile, type YamlPath } from './policies/yaml-file.ts'

/** Everything that a running Muster is told from outside. Plain data: it is handed to threads as it is. Holds secrets. */
export type Config = MusterFile & {
  /** Absolute. */
  readonly directory: string
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly kafka: KafkaConnection
  readonly policyFiles: readonly PolicyFile[]
  readonly secretFiles: SecretFiles
}

/** Target → member of its connector's settings (`bindPassword`, `credentials.secretAccessKey`) → absolute path of the file that it came from. */
export type SecretFiles = Readonly<Record<string, Readonly<Record<string, string>>>>

export type ConfigProblem = { readonly where: string; readonly message: string; readonly hint: string | null }
export type Loaded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] }

/** The only place where the process's environment is read. */
export type ProcessEnvironment = Environment
export const processEnvironment = (): ProcessEnvironment => process.env

/** Directory and environment together; every problem of both is told at once. */
export const loadConfig = (directory: string, env: Environment): Loaded<Config> => {
  const missing: EnvironmentProblem[] = []
  const databaseUrl = required(env, 'MUSTER_DATABASE_URL', missing)
  const redisUrl = required(env, 'MUSTER_REDIS_URL', missing)
  const kafka = kafkaConnection(env, missing)
  const loaded = loadDirectory(directory, env)
  const problems = [...missing.map(environmentProblem), ...(loaded.ok ? [] : loaded.problems)]
  return loaded.ok && problems.length === 0
    ? {
        ok: true,
        value: {
          ...loaded.value.file,
          directory: loaded.value.directory,
          policyFiles: loaded.value.policyFiles,
          secretFiles: loaded.value.secretFiles,
          databaseUrl,
          redisUrl,
          kafka,
        },
      }
    : { ok: false, problems }
}

export type ConfigDirectory = {
  readonly directory: string
  readonly file: MusterFile
  readonly policyFiles: readonly PolicyFile[]
  readonly secretFiles: SecretFiles
}

/** muster.yaml with its references resolved, and the texts of policies/ (whose contents `policies/parse` judges). */
export const loadDirectory = (directory: string, env: Environment): Loaded<ConfigDirectory> => {
  const read = readDirectory(directory, env, 'all')
  if (!read.ok) return read
  const { absolute, references, parsed, policies } = read.value
  const problems = problemsOf(read.value)
  if (problems.length > 0 || !policies.ok) return failed(problems)
  // Whatever zod says is a problem that was told, or follows from one.
  if (!parsed.success) throw new Error('muster.yaml is wrong, and nobody was told why')
  return {
    ok: true,
    value: {
      directory: absolute,
      file: parsed.data,
      policyFiles: policies.value,
      secretFiles: secretFilesOf(parsed.data, references.files),
    },
  }
}

export type PolicyDirectory = {
  readonly targets: readonly { readonly id: string; readonly type: string }[]
  readonly policyFiles: readonly PolicyFile[]
  /** Of muster.yaml: whoever reads both is told of both at once. */
  readonly problems: readonly ConfigProblem[]
}

/**
 * The texts of policies/ and the targets that they may speak of. Every mistake of muster.yaml is told that can be
 * seen without its secrets, none of which is read, and without what the environment does not hold.
 */
export const loadPolicies = (directory: string, env: Environment): Loaded<PolicyDirectory> => {
  const read = readDirectory(directory, env, 'what-is-there')
  if (!read.ok) return read
  const { references, problems, policies } = read.value
  const named = targetNames.safeParse(references.value)
  if (!named.success || !policies.ok) return failed(problemsOf(read.value))
  return { ok: true, value: { targets: named.data.targets, policyFiles: policies.value, problems } }
}

/** As written, whatever else is wrong with them. */
const targetNames = z.looseObject({ targets: z.array(z.object({ id: z.string(), type: z.string() })) })

const readDirectory = (directory: string, env: Environment, wanted: 'all' | 'what-is-there') => {
  const absolute = resolve(directory)
  const path = join(absolute, 'muster.yaml')
  if (!existsSync(path))
    return failed([
      {
        where: path,
        message: 'is not there',
        hint: 'name the directory that holds it: --config DIR, or MUSTER_CONFIG',
      },
    ])
  const { file, problems: unreadable } = readYamlFile({ path, text: readFileSync(path, 'utf8') })
  if (file.value === undefined) return failed(unreadable.map(fileProblem))
  const references = withReferencesResolved(file, env, absolute, wanted)
  const parsed = musterFile.safeParse(references.value)
  // A reference that names nothing is one mistake, not two.
  const issues = parsed.success ? [] : withoutEffectsOf(references.unresolved, parsed.error.issues)
  const besides = wanted === 'all' ? [] : rulesBeside(references.value, references.unresolved, issues)
  const policies = policyFilesOf(absolute)
  const problems = [...unreadable, ...references.problems, ...fileProblems(file, [...issues, ...besides])].sort(
    (a, b) => a.line - b.line,
  )
  return { ok: true, value: { absolute, references, parsed, policies, problems: problems.map(fileProblem) } } as const
}

/**
 * What is wrong between members although others are not known, whose absence keeps zod from judging any of it: told of places that
 * no unknown member has a part in.
 */
const rulesBeside = (value: unknown, unknown: readonly YamlPath[], known: readonly z.core.$ZodIssue[]) => {
  if (unknown.length === 0) return []
  const parsed = musterFile.safeParse(withStandIns(value, unknown))
  const told = new Set(known.map(({ path, message }) => JSON.stringify([path, message])))
  const isApart = (path: readonly PropertyKey[]) =>
    !unknown.some((out) => out.slice(0, 3).every((step, at) => step === path[at]))
  return (parsed.error?.issues ?? []).filter(
    ({ code, path, message }) => code === 'custom' && isApart(path) && !told.has(JSON.stringify([path, message])),
  )
}

const problemsOf = (read: {
  readonly problems: readonly ConfigProblem[]
  readonly policies: Loaded<readonly PolicyFile[]>
}): readonly ConfigProblem[] => [...read.problems, ...(read.policies.ok ? [] : read.policies.problems)]

/** `path` = targets, index, the connector's settings, member… */
const secretFilesOf = ({ targets }: MusterFile, files: readonly SecretFile[]): SecretFiles =>
  Object.fromEntries(
    targets.map(({ id }, index) => [
      id,
      Object.fromEntries(
        files
          .filter(({ path }) => path[0] === 'targets' && path[1] === index)
          .map(({ path, file }) => [path.slice(3).join('.'), file]),
      ),
    ]),
  )

const policiesHint =
  'policies say who holds what; there must be a file, be it for one group: examples/in-use/policies/policy.yaml is a small one'

const policyFilesOf = (directory: string): Loaded<readonly PolicyFile[]> => {
  try {
    const files = readPolicyFiles(directory)
    if (files.length > 0) return { ok: true, value: files }
    return failed([
      {
        where: join(directory, 'policies'),
        message: 'holds no *.yaml',
        hint: policiesHint,
      },
    ])
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    return failed([
      {
        where: join(directory, 'policies'),
        message: `cannot be read (${code})`,
        hint: policiesHint,
      },
    ])
  }
}

const failed = (problems: readonly ConfigProblem[]) => ({ ok: false, problems }) as const

/** One variable on its own, for commands that need no more. */
export const requiredVariable = (env: Environment, variable: Parameters<typeof required>[1]): Loaded<string> => {
  const problems: EnvironmentProblem[] = []
  const value = required(env, variable, problems)
  return problems.length === 0 ? { ok: true, value } : failed(problems.map(environmentProblem))
}

/** What a command that only publishes needs. */
export const loadKafka = (env: Environment): Loaded<KafkaConnection> => {
  const problems: EnvironmentProblem[] = []
  const value = kafkaConnection(env, problems)
  return problems.length === 0 ? { ok: true, value } : failed(problems.map(environmentProblem))
}

export const fileProblem = ({ path, line, column, message, hint }: Problem): ConfigProblem => ({
  where: `${path}:${line}:${column}`,
  message,
  hint,
})

const environmentProblem = ({ variable, message, hint }: EnvironmentProblem): ConfigProblem => ({
  where: variable,
  message,
  hint,
})

export const problemText = ({ where, message, hint }: ConfigProblem): string =>
  `${where} ${message}${hint === null ? '' : `\n    → ${hint}`}`
