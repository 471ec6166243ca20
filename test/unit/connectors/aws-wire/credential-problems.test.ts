import { expect, test } from 'vitest'
import { credentialProblems } from '../../../../src/connectors/aws-wire/credential-problems.ts'

test('a token file that cannot be read is named', async () => {
  const roleArn = 'arn:aws:iam::123456789012:role/muster'
  const from = { from: 'webIdentity', roleArn, sessionName: 'muster', tokenFile: '/nowhere/token' } as const
  expect(await credentialProblems({ credentials: from })).toEqual([
    'credentials.tokenFile: /nowhere/token cannot be read (ENOENT)',
  ])
  expect(await credentialProblems({ credentials: { ...from, tokenFile: import.meta.filename } })).toEqual([])
  expect(await credentialProblems({ credentials: { from: 'default' } })).toEqual([])
})
