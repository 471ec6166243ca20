import { readdirSync, readFileSync } from 'node:fs'
import { knownAttributes } from '../../../src/domain/attributes.ts'
import { parsePolicies } from '../../../src/policies/parse.ts'
import { compileSet } from './policies.ts'

const directory = new URL('../../../examples/bank/policies/', import.meta.url)

export const bankFiles = readdirSync(directory)
  .sort()
  .map((path) => ({ path, text: readFileSync(new URL(path, directory), 'utf8') }))

export const parsedBank = parsePolicies(bankFiles, { attributes: knownAttributes, targets: ['bank-ldap'] })

export const bankPolicy = () => {
  if (parsedBank.kind === 'invalid') throw new Error(JSON.stringify(parsedBank.problems, null, 2))
  return compileSet(parsedBank.set)
}
