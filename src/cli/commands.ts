import { accountList } from './account-list.ts'
import { actionList } from './action-list.ts'
import { actionRetry } from './action-retry.ts'
import { adoptApply, adoptEnd, adoptPlan } from './adopt.ts'
import { auditLog } from './audit-log.ts'
import type { Command } from './command.ts'
import { doctor } from './doctor.ts'
import { findingList } from './finding-list.ts'
import { holdReject, holdRelease } from './hold-decide.ts'
import { holdList } from './hold-list.ts'
import { link, unlink } from './link.ts'
import { migrateCommand } from './migrate.ts'
import { policyApply } from './policy-apply.ts'
import { policyCheck } from './policy-check.ts'
import { publishCommand } from './publish.ts'
import { quarantineList, quarantineReplay, quarantineShow } from './quarantine.ts'
import { reconcileCommand } from './reconcile.ts'
import { serve } from './serve.ts'
import { showEntitlement } from './show-entitlement.ts'
import { showIdentity } from './show-identity.ts'
import { showAction, showDispatch, showHold } from './show-work.ts'
import { targetList } from './target-list.ts'
import { targetMode } from './target-mode.ts'
import { why, whyNot } from './why.ts'

/** `muster <group> <command>` */
export type Group = { readonly commands: Readonly<Record<string, Command>> }

export const commands = {
  serve,
  migrate: migrateCommand,
  doctor,
  publish: publishCommand,
  policy: { commands: { check: policyCheck, apply: policyApply } },
  reconcile: reconcileCommand,
  adopt: { commands: { plan: adoptPlan, apply: adoptApply, end: adoptEnd } },
  account: { commands: { list: accountList } },
  action: { commands: { list: actionList, retry: actionRetry } },
  link,
  unlink,
  target: { commands: { list: targetList, mode: targetMode } },
  show: {
    commands: {
      identity: showIdentity,
      entitlement: showEntitlement,
      action: showAction,
      dispatch: showDispatch,
      hold: showHold,
    },
  },
  why,
  'why-not': whyNot,
  hold: { commands: { list: holdList, release: holdRelease, reject: holdReject } },
  quarantine: { commands: { list: quarantineList, show: quarantineShow, replay: quarantineReplay } },
  audit: { commands: { log: auditLog } },
  finding: { commands: { list: findingList } },
} as const satisfies Record<string, Command | Group>

export type CommandName = keyof typeof commands
