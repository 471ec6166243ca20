/**
 * Who may import whom (DESIGN §7, and ARCHITECTURE.md). test/unit/house/directions.test.ts plants one violation for
 * each rule here and expects red; it knows the rules by name, so a new rule needs a new plant.
 */

/** Besides itself. Anything of ours that is not listed is an error. A name that ends in .ts is one file. */
const mayImport = {
  domain: [],
  policies: ['domain/'],
  planning: ['domain/', 'policies/'],
  audit: ['domain/'],
  store: ['domain/', 'log.ts'],
  connectors: ['domain/', 'log.ts'],
  engine: ['domain/', 'policies/', 'planning/', 'store/', 'audit/', 'connectors/connector.ts', 'log.ts'],
  consumers: ['domain/', 'engine/', 'log.ts'],
  workers: ['domain/', 'engine/', 'connectors/connector.ts', 'log.ts'],
  api: ['domain/', 'engine/', 'log.ts'],
  web: ['api/contract.ts'],
  config: ['domain/', 'policies/', 'planning/guard.ts', 'connectors/registry.ts', 'connectors/connector-type.ts'],
  cli: ['domain/', 'policies/', 'planning/', 'engine/', 'app.ts', 'app/', 'config.ts', 'log.ts'],
}

/** Each client library has one home. */
const homes = {
  kafkajs: ['src/consumers/'],
  bullmq: ['src/workers/'],
  ioredis: ['src/workers/'],
  pg: ['src/store/'],
  prisma: ['src/store/'],
  ldapts: ['src/connectors/ldap-wire/', 'src/connectors/ldap/', 'src/connectors/ad/'],
  graph: ['src/connectors/entra/'],
  aws: ['src/connectors/aws-wire/', 'src/connectors/aws/', 'src/connectors/aws-iam/'],
}
/** What belongs to a library, where that is more than the package of its name. */
const packages = {
  pg: ['pg', 'pg-[^/]+', '@types/pg'],
  prisma: ['prisma', '@prisma/[^/]+'],
  graph: ['@microsoft/microsoft-graph-client', '@azure/[^/]+'],
  aws: ['@aws-sdk/[^/]+', '@smithy/[^/]+'],
}

const dotted = (text) => text.replaceAll('.', '\\.')
const inSrc = (path) => (path.endsWith('.ts') ? `^src/${dotted(path)}$` : `^src/${path}`)

const folders = Object.entries(mayImport).map(([folder, allowed]) => ({
  name: `${folder}-imports`,
  severity: 'error',
  comment: `src/${folder}/ may import of ours only: ${[`${folder}/`, ...allowed].join(', ')}`,
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: [`${folder}/`, ...allowed].map(inSrc) },
}))

const sdkHomes = Object.entries(homes).map(([name, home]) => ({
  name: `${name}-at-home`,
  severity: 'error',
  comment: `${name} is used in ${home.join(', ')} only`,
  from: { path: '^src/', pathNot: home.map((path) => `^${path}`) },
  to: { path: (packages[name] ?? [name]).map((path) => `(^|node_modules/)${path}(/|$)`) },
}))

export default {
  forbidden: [
    ...folders,
    ...sdkHomes,
    {
      name: 'core-does-no-io',
      severity: 'error',
      comment: 'domain, policies and planning are pure: no node:* there',
      from: { path: '^src/(domain|policies|planning)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'connectors-are-strangers',
      severity: 'error',
      comment: 'a connector knows the contract and the domain, never another connector',
      from: { path: '^src/connectors/([^/]+)/' },
      to: {
        path: '^src/connectors/',
        pathNot: ['^src/connectors/$1/', '^src/connectors/(ldap|aws)-wire/', '^src/connectors/[^/]+\\.ts$'],
      },
    },
    {
      name: 'ldap-wire-is-for-directories',
      severity: 'error',
      comment: 'the LDAP protocol is shared by the connectors that speak it',
      from: { path: '^src/connectors/', pathNot: ['^src/connectors/(ldap|ad|ldap-wire)/'] },
      to: { path: '^src/connectors/ldap-wire/' },
    },
    {
      name: 'ldap-wire-knows-no-connector',
      severity: 'error',
      comment: 'a protocol, not a kind of directory',
      from: { path: '^src/connectors/ldap-wire/' },
      to: { path: '^src/connectors/[^/]+/', pathNot: ['^src/connectors/ldap-wire/'] },
    },
    {
      name: 'aws-wire-is-for-aws',
      severity: 'error',
      comment: "AWS's protocol is shared by the connectors that speak it",
      from: { path: '^src/connectors/', pathNot: ['^src/connectors/(aws|aws-iam|aws-wire)/'] },
      to: { path: '^src/connectors/aws-wire/' },
    },
    {
      name: 'aws-wire-knows-no-connector',
      severity: 'error',
      comment: 'a protocol, not a service of AWS',
      from: { path: '^src/connectors/aws-wire/' },
      to: { path: '^src/connectors/[^/]+/', pathNot: ['^src/connectors/aws-wire/'] },
    },
    {
      name: 'connector-contract-knows-no-connector',
      severity: 'error',
      comment: 'the contract stands above its implementations',
      from: { path: '^src/connectors/[^/]+\\.ts$', pathNot: ['^src/connectors/registry\\.ts$'] },
      to: { path: '^src/connectors/[^/]+/' },
    },
    {
      name: 'registry-knows-types-only',
      severity: 'error',
      comment: 'what is known of a connector before it is loaded, and nothing else of it',
      from: { path: '^src/connectors/registry\\.ts$' },
      to: { path: '^src/connectors/[^/]+/', pathNot: ['^src/connectors/[^/]+/type\\.ts$'] },
    },
    {
      name: 'types-by-the-registry',
      severity: 'error',
      comment: 'one place lists the connectors: whoever names one by itself is a second list',
      from: { path: '^src/', pathNot: ['^src/connectors/registry\\.ts$'] },
      to: { path: '^src/connectors/[^/]+/type\\.ts$' },
    },
    {
      name: 'only-cli-imports-app',
      severity: 'error',
      comment: 'app.ts wires; whoever imports it can reach everything',
      from: { path: '^src/', pathNot: ['^src/cli/', '^src/app(/|\\.ts$)'] },
      to: { path: '^src/app(/|\\.ts$)' },
    },
    {
      name: 'connectors-on-demand',
      severity: 'error',
      comment:
        "a connector brings its vendor's library with it, tens of MB in each thread: import() it once a target needs it",
      from: { path: '^src/' },
      to: { path: '^src/connectors/[^/]+/connector\\.ts$', dynamic: false },
    },
    {
      name: 'top-files-import-nothing-of-ours',
      severity: 'error',
      comment: 'of the files directly in src/, only app.ts wires',
      from: { path: '^src/[^/]+\\.ts$', pathNot: ['^src/app\\.ts$', '^src/config\\.ts$'] },
      to: { path: '^src/', pathNot: ['^src/domain/'] },
    },
    {
      name: 'config-starts-nothing',
      severity: 'error',
      comment: 'configuration is read into values',
      from: { path: '^src/config\\.ts$' },
      to: { path: '^src/', pathNot: ['^src/config/', '^src/domain/', '^src/policies/'] },
    },
    {
      name: 'src-never-imports-tests',
      severity: 'error',
      comment: 'the product does not know its tests, scripts, benchmarks and simulators',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|bench|simulators)/' },
    },
    {
      name: 'simulators-know-nothing-of-ours',
      severity: 'error',
      comment: 'a simulator is held to its vendor, not to what we think of it: it must not share our code',
      from: { path: '^simulators/' },
      to: { path: '^(src|test|bench)/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'a cycle is one file in disguise',
      from: { path: '^(src|scripts|bench|simulators)/', pathNot: '^src/store/generated/' },
      to: { circular: true },
    },
    {
      name: 'not-resolvable',
      severity: 'error',
      comment: 'the file or package is not there, so no other rule can judge it',
      from: { pathNot: '^src/store/generated/' },
      to: { couldNotResolve: true, pathNot: ['^\\.\\./store/generated/', '^\\./generated/'] },
    },
  ],
  options: {
    // Followed no further, but still seen as a target: excluded, a domain file could import Prisma's types unseen.
    doNotFollow: { path: ['node_modules', '^src/store/generated/'] },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'], // some packages are types and nothing else
    },
    combinedDependencies: false,
    // TypeScript 7 has no API to parse with; swc's tree has the type-only imports as well (planted in the test).
    parser: 'swc',
  },
}
