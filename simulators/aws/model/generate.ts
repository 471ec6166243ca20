/**
 * Writes this folder's JSON files from the service models of botocore that moto came with:
 *   sh scripts/run.sh simulators/aws/model/generate.ts
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { motoPackages } from '../../../scripts/stack/moto.ts'
import { serviceModel } from './botocore.ts'
import { extracted, extractOf } from './extract.ts'

const packages = await motoPackages()
for (const { service, version, operations } of extracted) {
  const extract = extractOf(serviceModel(packages, service, version), operations)
  // Spaces that look alike stay told apart.
  const json = JSON.stringify(extract, null, 2).replace(/[^\n -~]/g, escaped)
  writeFileSync(new URL(`${service}.json`, import.meta.url), json)
}
execFileSync('biome', ['format', '--write', import.meta.dirname], { stdio: 'inherit' })

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
