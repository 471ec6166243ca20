/** An evaluator of IAM policies that is not ours: localemu's (Apache-2.0, PyPI), asked in a process of its own. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pythonPackage } from '../../scripts/stack/python.ts'

export type Question = {
  /** ARN of whoever asks; for a trust policy that of the identity provider. */
  readonly caller: string
  readonly action: string
  readonly resource: string
  readonly context: Readonly<Record<string, string>>
  /** Identity policies of the role. */
  readonly policies: readonly unknown[]
  readonly trust?: unknown
}
export type Decision = 'ALLOW' | 'IMPLICIT_DENY' | 'EXPLICIT_DENY'

export const judge = async (questions: readonly Question[]): Promise<readonly Decision[]> => {
  const packages = await pythonPackage({
    name: 'localemu',
    version: '1.3.2',
    sha256: ['ca2a7c692cd55cf09b73d10c2cf3a1b4d3d8192e456788d0a6ada017f46cf2bb'],
  })
  return new Promise((resolve, reject) => {
    const child = execFile(
      'python3',
      // -S: nothing that this machine has installed.
      ['-S', join(import.meta.dirname, 'aws-iam-judge.py')],
      { env: { PYTHONPATH: packages } },
      (error, stdout, stderr) => (error === null ? resolve(JSON.parse(stdout)) : reject(new Error(stderr))),
    )
    child.stdin?.end(JSON.stringify(questions))
  })
}
