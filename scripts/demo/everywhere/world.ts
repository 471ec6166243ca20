/** A second Muster beside the first: its own database, topic, queues and part of the directory, and up to five targets. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeEnvFile } from '../../stack/env-file.ts'
import { databaseEnv } from '../../stack/muster-database.ts'
import { type AuditLog, openAuditLog } from '../audit-log.ts'
import type { Cleanup } from '../cleanup.ts'
import { type EngineProcess, startEngine } from '../engine-process.ts'
import { type Hr, openHr } from '../hr-topic.ts'
import { freshDatabase, type World } from '../world.ts'
import { openActiveDirectory } from './active-directory.ts'
import { own, writeEverywhere } from './config.ts'
import { type Entra, openEntra } from './entra.ts'
import { openIamRoles } from './iam-roles.ts'
import { type IdentityCenter, openIdentityCenter } from './identity-center.ts'
import { openOpenLdap } from './openldap.ts'
import { type Place, targetsOn } from './places.ts'
import type { Witness } from './witness.ts'

export type EverywhereWorld = {
  readonly witnesses: readonly Witness[]
  /** Null where Entra is left out. */
  readonly entra: Entra | null
  /** Null where AWS is left out. */
  readonly aws: IdentityCenter | null
  readonly hr: Hr
  readonly audit: AuditLog
  readonly engine: EngineProcess
  readonly env: Readonly<Record<string, string>>
  readonly envFile: string
}

/** Whoever keeps the directories makes the groups; Muster only fills them. */
const groups = {
  ldap: ['Staff_Intranet', 'Dept_Lending'],
  ad: ['CBS_ViewOnly', 'CBS_LoanEntry', 'CBS_LoanApprove'],
  entra: ['Lending_RM', 'Credit_Committee', 'Collections_Team'],
  aws: ['Loan_ReadOnly'],
}
const assignments = { Aws_LoanDesk: 'LoanDesk', Aws_LoanDecisions: 'LoanDecisions' }
/** Permission sets that whoever is in the group has by it: without one it would give nothing. */
const throughGroups = { Loan_ReadOnly: 'LoanReader' }
const roles = { Iam_LoanQuotes: 'LoanQuotes', Iam_LoanRisk: 'LoanRisk' }

export const openEverywhere = async (
  { stack }: Pick<World, 'stack'>,
  places: readonly Place[],
  ending: Cleanup,
): Promise<EverywhereWorld> => {
  const stackOf = (target: Place['target']) => places.find((place) => place.target === target)?.stack ?? null
  const [adStack, graphStack, awsStack] = [stackOf('bank-ad'), stackOf('bank-entra'), stackOf('bank-aws')]
  const dir = join(stack.dir, 'everywhere')
  mkdirSync(dir, { recursive: true })
  const [database, hr, ldap, ad, entra, aws, iam] = await Promise.all([
    freshDatabase(stack, 'muster_everywhere'),
    openHr(stack.kafkaBrokers, stack.part('kafka').origin !== 'environment', own),
    openOpenLdap({ ldap: stack.ldap, dir }, groups.ldap),
    adStack && openActiveDirectory(adStack, groups.ad),
    graphStack && openEntra(graphStack.graph, groups.entra),
    awsStack && openIdentityCenter(awsStack.aws, groups.aws, assignments, throughGroups),
    awsStack && openIamRoles(awsStack.aws, roles),
  ])
  ending.add('everywhere hr', () => hr.close())
  const leftOut = targetsOn(places.flatMap((place) => (place.stack === null ? [place.target] : [])))
  const env = {
    ...stack.env,
    ...Object.assign({}, ...places.map((place) => place.stack?.env ?? {})),
    ...databaseEnv(database),
    // Node itself must trust the simulator's authority, before it starts.
    ...(graphStack ? { NODE_EXTRA_CA_CERTS: graphStack.graph.caFile } : {}),
    MUSTER_CONFIG: writeEverywhere(stack.dir, leftOut, stack.ldap.baseDn),
  }
  const engine = await startEngine(env, join(stack.dir, 'everywhere.log'))
  ending.add('everywhere engine', () => engine.stop())
  const audit = await openAuditLog(database.auditorUrl)
  ending.add('everywhere audit', () => audit.close())
  const witnesses = [ldap, ad, entra, aws, iam].filter((one): one is Witness => one !== null)
  return { witnesses, entra, aws, hr, audit, engine, env, envFile: writeEnvFile(dir, env) }
}
