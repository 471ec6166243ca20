import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { ServiceModel } from './extract.ts'

/** A service model as AWS publishes it; botocore's comes with moto. */
export const serviceModel = (packages: string, service: string, version: string): ServiceModel => {
  const file = join(packages, 'botocore', 'data', service, version, 'service-2.json.gz')
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'))
}
