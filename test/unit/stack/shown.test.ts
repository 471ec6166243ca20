import { expect, test } from 'vitest'
import { shown } from '../../../scripts/stack/shown.ts'

test.each([
  [
    'MUSTER_DATABASE_URL',
    'postgresql://muster_engine:pw@127.0.0.1:5432/muster',
    'postgresql://muster_engine:…@127.0.0.1:5432/muster',
  ],
  ['MUSTER_REDIS_URL', 'redis://:pw@127.0.0.1:6379', 'redis://:…@127.0.0.1:6379'],
  ['MUSTER_REDIS_URL', 'redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
  ['MUSTER_STACK_LDAP_SERVICE_PASSWORD', 'pw', '…'],
  ['MUSTER_STACK_AWS_SECRET_ACCESS_KEY', 'pw', '…'],
  ['MUSTER_STACK_GRAPH_CLIENT_SECRET_FILE', '/a/client-secret', '/a/client-secret'],
  ['MUSTER_KAFKA_BROKERS', '127.0.0.1:9092,127.0.0.1:9093', '127.0.0.1:9092,127.0.0.1:9093'],
])('%s is shown without what is secret in it', (name, value, told) => {
  expect(shown(name, value)).toBe(told)
})
