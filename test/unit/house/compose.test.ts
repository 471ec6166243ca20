/** docker-compose.yml cannot be run without a container engine; here it is at least what the Compose specification says. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { checkout, tool } from './tool.ts'

type Service = {
  image?: string
  build?: { context: string; target: string }
  command?: string[]
  healthcheck?: { test: string[] }
  ports?: string[]
  volumes?: string[]
  depends_on?: Record<string, { condition: string }>
}
type Compose = { services: Record<string, Service>; volumes: Record<string, unknown> }

const text = readFileSync(join(checkout, 'docker-compose.yml'), 'utf8')
const read = (yaml: string): Compose => parse(yaml, { merge: true })
const compose = read(text)
const dockerfile = readFileSync(join(checkout, 'Dockerfile'), 'utf8')

/** The schema of the Compose specification, as the package dclint carries it. */
const schema = JSON.parse(readFileSync(join(checkout, 'node_modules/dclint/schemas/compose.schema.json'), 'utf8'))
delete schema.$schema // draft 7, under an address that ajv does not know
const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema)

test('it is valid by the JSON Schema of the Compose specification', () => {
  validate(compose)
  expect(validate.errors).toBeNull()
})

test('the schema bites', () => {
  expect(validate(read(text.replace('healthcheck:', 'healthchek:')))).toBe(false)
  expect(validate(read(text.replace('retries: 20', 'retries: {}')))).toBe(false)
})

describe.each(Object.entries(compose.services))('%s', (_name, service) => {
  test('is an image, or a target of the Dockerfile', () => {
    if (service.build === undefined) expect(service.image).toMatch(/^[\w/]+:[\w.-]+$/)
    else expect(dockerfile).toContain(` AS ${service.build.target}\n`)
  })
  test('listens on loopback only', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/)
  })
  test('waits only for services that are there, and for health only where there is a check', () => {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(Object.keys(compose.services)).toContain(other)
      if (condition === 'service_healthy') expect(compose.services[other]?.healthcheck).toBeDefined()
    }
  })
  test('mounts only volumes and folders that are there', () => {
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':')
      expect(source.startsWith('.') ? existsSync(join(checkout, source)) : source in compose.volumes).toBe(true)
    }
  })
  test('runs scripts that are there', () => {
    const words = [...(service.command ?? []), ...(service.healthcheck?.test ?? [])]
    for (const script of words.filter((word) => word.endsWith('.ts')))
      expect(existsSync(join(checkout, script))).toBe(true)
  })
})

test('the health of Muster is asked by a command that it has', async () => {
  const [, , ...command] = compose.services.muster?.healthcheck?.test ?? []
  expect(command[0]).toBe('src/cli/main.ts')
  expect(await tool(checkout, 'node', ...command, '--help')).toMatchObject({ code: 0 })
})

test('the product runs as an ordinary user', () => {
  const product = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  expect(product).toMatch(/ AS muster\n[\s\S]*\nUSER node\n[\s\S]*ENTRYPOINT/)
})
