import { z } from 'zod'
import { policyDocument } from './policy-document.ts'

/** JSON Schema (2020-12) of one policy file, as published in schemas/policy.json. */
export const policyJsonSchema = (): string =>
  `${JSON.stringify({ ...z.toJSONSchema(policyDocument), title: 'Muster policy file' }, null, 2)}\n`
