import type { Examinable } from '../app/examine.ts'
import { type Office, openOffice } from '../app/office.ts'
import {
  type Config,
  type ConfigDirectory,
  type ConfigProblem,
  type Loaded,
  loadConfig,
  loadDirectory,
  loadKafka,
  loadPolicies,
  type PolicyDirectory,
  problemText,
  requiredVariable,
} from '../config.ts'
import type { Call } from './command.ts'
import { Complaint, usage } from './complaint.ts'

const directoryOf = (call: Call): string => {
  if (call.directory === undefined)
    throw usage(
      'which configuration?',
      'name its directory: --config DIR, or MUSTER_CONFIG=DIR (example: --config examples/bank)',
    )
  return call.directory
}

const loaded = <T>(result: Loaded<T>): T => {
  if (result.ok) return result.value
  throw misconfigured(result.problems)
}

export const misconfigured = (problems: readonly ConfigProblem[]): Complaint =>
  new Complaint(
    2,
    problems.length === 1 ? 'the configuration has a problem' : `the configuration has ${problems.length} problems`,
    null,
    problems.map(problemText),
  )

export const configOf = (call: Call): Config => loaded(loadConfig(directoryOf(call), call.env))
/** What is not set is told part by part; with wrong files nothing can be looked at, and all that is wrong is told. */
export const examinableOf = (call: Call): Examinable => {
  const directory = directoryOf(call)
  const read = loadDirectory(directory, call.env)
  if (!read.ok) loaded(loadConfig(directory, call.env))
  const { file, policyFiles } = loaded(read)
  return {
    ...file,
    policyFiles,
    databaseUrl: requiredVariable(call.env, 'MUSTER_DATABASE_URL'),
    redisUrl: requiredVariable(call.env, 'MUSTER_REDIS_URL'),
    kafka: loadKafka(call.env),
  }
}
export const configDirectoryOf = (call: Call): ConfigDirectory => loaded(loadDirectory(directoryOf(call), call.env))
export const policyDirectoryOf = (call: Call): PolicyDirectory => loaded(loadPolicies(directoryOf(call), call.env))
export const variableOf = (call: Call, name: Parameters<typeof requiredVariable>[1]): string =>
  loaded(requiredVariable(call.env, name))

/** The database as the engine's role sees it, for as long as `work` runs. */
export const inOffice = async <T>(call: Call, work: (office: Office) => Promise<T>): Promise<T> => {
  const office = openOffice(variableOf(call, 'MUSTER_DATABASE_URL'), 'muster-cli')
  try {
    return await work(office)
  } finally {
    await office.close()
  }
}

export const problemsOf = (problems: readonly ConfigProblem[]): readonly string[] => problems.map(problemText)
