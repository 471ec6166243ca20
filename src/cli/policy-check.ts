import { createHash } from 'node:crypto'
import { lookupProblemOn } from '../app/lookup-problems.ts'
import { fileProblem } from '../config.ts'
import { knownAttributes } from '../domain/attributes.ts'
import { canonicalPolicy } from '../policies/canonical.ts'
import { parsePolicies } from '../policies/parse.ts'
import type { Command } from './command.ts'
import { misconfigured, policyDirectoryOf, problemsOf } from './configured.ts'
import { counted } from './counted.ts'

/** Reads files only: no database, no target, no secret. */
export const policyCheck: Command = {
  summary: 'explains every mistake in the policy files, with file and line',
  usage: 'policy check',
  run: async (call) => {
    const { targets, policyFiles, problems } = policyDirectoryOf(call)
    const parsed = parsePolicies(policyFiles, {
      attributes: knownAttributes,
      targets: targets.map(({ id }) => id),
      lookupProblem: lookupProblemOn(targets),
    })
    if (problems.length > 0)
      throw misconfigured([...problems, ...(parsed.kind === 'invalid' ? parsed.problems.map(fileProblem) : [])])
    if (parsed.kind === 'invalid')
      return {
        exit: 1,
        json: { ok: false, problems: parsed.problems },
        lines: (paint) => [
          ...problemsOf(parsed.problems.map(fileProblem)),
          paint.red(parsed.problems.length === 1 ? 'one mistake' : `${parsed.problems.length} mistakes`),
        ],
      }
    const { entitlements, roles, rules, implications, sod, exceptions } = parsed.set
    const hash = createHash('sha256').update(canonicalPolicy(parsed.set), 'utf8').digest('hex')
    const counts = {
      files: policyFiles.length,
      entitlements: entitlements.length,
      roles: roles.length,
      rules: rules.length,
      implications: implications.length,
      sod: sod.length,
      exceptions: exceptions.length,
    }
    return {
      json: { ok: true, hash, ...counts, implied: implications },
      lines: (paint) => [
        `${paint.green('no mistakes')} in ${counted(counts.files, 'file')}: ${counted(counts.entitlements, 'entitlement')}, ${counted(counts.roles, 'role')}, ${counted(counts.rules, 'rule')}, ${counted(counts.implications, 'implication')}, ${counted(counts.sod, 'SoD policy', 'SoD policies')}, ${counted(counts.exceptions, 'exception')}`,
        ...implications.flatMap(({ key, pairs }) => [
          `implication ${key}:`,
          ...pairs.map(
            ({ holds, gives, path }) =>
              `  ${holds} → ${gives}${path.length === 0 ? '' : ` (through role ${path.join(' → ')})`}`,
          ),
        ]),
        paint.dim(`version hash ${hash}`),
      ],
    }
  },
}
