import { fileProblem } from '../named-file.ts'
import type { WireSettings } from './settings.ts'

/** What the SDK does not tell of a token that it could not have: which file it is. */
export const credentialProblems = async ({
  credentials,
}: Pick<WireSettings, 'credentials'>): Promise<readonly string[]> => {
  if (credentials.from !== 'webIdentity') return []
  const problem = await fileProblem('credentials.tokenFile', credentials.tokenFile)
  return problem === null ? [] : [problem]
}
