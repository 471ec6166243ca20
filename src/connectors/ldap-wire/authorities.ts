import { certificate, fileProblem } from '../named-file.ts'
import type { ConnectionSettings } from './connection.ts'

/** What is wrong with the file of authorities, if one is named and used. An empty one would mean the system's. */
export const caProblems = async ({
  caFile,
  security,
}: Pick<ConnectionSettings, 'caFile' | 'security'>): Promise<readonly string[]> => {
  if (caFile === undefined || security === 'plain') return []
  const problem = await fileProblem('caFile', caFile, certificate)
  return problem === null ? [] : [problem]
}
