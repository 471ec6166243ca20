/**
 * slapd in a container (target `openldap` of the Dockerfile), on ports 3890 and 6360, until ended: serve-slapd.ts DIR
 * [LDIF]. A new directory begins with the entries of LDIF.
 */
import { readFileSync } from 'node:fs'
import { slapd } from './slapd.ts'

const needed = (name: string): string => {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: see docker-compose.yml`)
  return value
}
const [dir = '/var/lib/openldap', ldif] = process.argv.slice(2)
const made = await slapd(
  {
    dir,
    host: '0.0.0.0', // the container's own network; docker-compose.yml publishes it on loopback only
    names: ['openldap'],
    port: 3890,
    tlsPort: 6360,
    rootPassword: needed('MUSTER_STACK_LDAP_ROOT_PASSWORD'),
    servicePassword: needed('MUSTER_STACK_LDAP_SERVICE_PASSWORD'),
    variant: {},
    entries: ldif ? readFileSync(ldif, 'utf8') : '',
  },
  { adopted: undefined, launched: () => {} },
  ({ part, text }) => process.stdout.write(`${part}: ${text}\n`),
)
await made.server.start()
const watch = setInterval(() => {
  if (made.server.pid === undefined) process.exit(1) // the container ends with its server
}, 1000)
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    clearInterval(watch)
    made.server.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
}
