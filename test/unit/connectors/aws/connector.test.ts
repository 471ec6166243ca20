import { expect, test } from 'vitest'
import { awsSettingsSchema } from '../../../../src/connectors/aws/config.ts'
import { createAwsConnector } from '../../../../src/connectors/aws/connector.ts'
import { createLocalBudget, createLocalStore } from '../../../../src/connectors/local-budget.ts'
import type { TargetId } from '../../../../src/domain/ids.ts'

test('whoever is looked for by another value is looked for anew, though nothing of their account is ours', async () => {
  const settings = awsSettingsSchema.parse({
    region: 'eu-central-1',
    instanceArn: 'arn:aws:sso:::instance/ssoins-0123456789abcdef',
    identityStoreId: 'd-0123456789',
    credentials: { from: 'keys', accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
    correlation: { lookups: [{ by: 'email', value: '{workEmail}' }], proof: 'employeeNumber' },
  })
  const connector = createAwsConnector('aws' as TargetId, settings, {
    lane: 'bulk',
    giveWay: async () => {},
    now: () => 0,
    budget: createLocalBudget(createLocalStore(), 'bulk', () => 0),
  })
  const before = { personKey: 'P-1' }
  expect(connector.creationHash(before)).toBe(connector.creationHash({ ...before, jobTitle: 'X' }))
  expect(connector.creationHash(before)).not.toBe(connector.creationHash({ ...before, workEmail: 'p@bank.example' }))
  await connector.close()
})
