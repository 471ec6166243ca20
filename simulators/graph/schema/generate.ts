/**
 * Writes graph-v1.0.json from Microsoft's metadata:
 *   sh scripts/run.sh simulators/graph/schema/generate.ts CSDL-FILE
 * CSDL-FILE: schemas/v1.0-Prod.csdl of microsoftgraph/msgraph-metadata, whole or cut to users and groups.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { readCsdl } from './csdl.ts'
import { jsonSchemaOf } from './json-schema.ts'

const [csdlFile] = process.argv.slice(2)
if (csdlFile === undefined) {
  console.error('usage: generate.ts CSDL-FILE')
  process.exit(2)
}
const schema = jsonSchemaOf(readCsdl(readFileSync(csdlFile, 'utf8')))
writeFileSync(new URL('graph-v1.0.json', import.meta.url), `${JSON.stringify(schema, null, 2)}\n`)
