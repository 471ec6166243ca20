import { writeFileSync } from 'node:fs'
import { musterJsonSchema } from './json-schema.ts'

// `sh scripts/run.sh src/config/write-schema.ts`, after a change of what muster.yaml may say.
writeFileSync(new URL('../../schemas/muster.schema.json', import.meta.url), musterJsonSchema())
