import type { Quantiles, TrailRow } from './audit-log.ts'
import { NotSo } from './eventually.ts'
import type { Scene } from './scene.ts'
import { amit } from './story-amit.ts'
import { textTable } from './text-table.ts'

export const theBooks = async ({ world, tell, verify }: Scene): Promise<void> => {
  tell.step('The books')
  const account = await world.directory.accountOf(amit)
  const search = await world.directory.shown(`(member=${account?.dn})`, 'cn')
  await verify("Amit's groups, as the directory itself tells them: none", async () => {
    if (search.length > 1) throw new NotSo(search.slice(1).join('\n'))
  })
  tell.show('ldapsearch', search, search.slice(1))

  const trail = await world.audit.trail(amit)
  await verify(
    `Amit's audit trail, read by the auditors' role: ${trail.length} entries, every change decided, attempted once and proved`,
    async () => complete(trail),
  )
  tell.show('trail', textTable(['at', 'entry', 'what', 'entitlement', 'outcome', 'by'], shortTrail(trail)), trail)

  const [joiners, leavers] = [await world.audit.joinerQuantiles(), await world.audit.leaverQuantiles()]
  const row = (what: string, { n, p50, p99 }: Quantiles) => [what, String(n), `${p50} ms`, `${p99} ms`]
  await verify('latencies, from the append to Kafka until the last read-back was in the audit log', async () => {
    if (joiners.n === 0 || leavers.n === 0) throw new NotSo('nothing was measured')
  })
  tell.show(
    'latencies',
    textTable(
      ['', 'people', 'p50', 'p99'],
      [row('joiners, all at once, who are still here', joiners), row('urgent leavers, one by one, Amit too', leavers)],
    ),
    { joiners, leavers },
  )

  const urgent = (await world.audit.findings()).filter((finding) => finding.urgent)
  await verify('no urgent finding is open', async () => {
    if (urgent.length > 0) throw new NotSo(urgent.map(({ kind, key }) => `${kind} ${key}`).join('\n'))
  })
}

/** Law L7: each change that took effect has exactly one decision, one attempt and one outcome with its evidence. */
const complete = (trail: readonly TrailRow[]): void => {
  for (const outcome of trail.filter(({ kind, changed }) => kind === 'outcome' && changed)) {
    const decisions = trail.filter(
      ({ kind, decision_id }) => kind === 'decision' && decision_id === outcome.decision_id,
    )
    const attempts = trail.filter(
      ({ kind, action_id, dispatch_id }) =>
        kind === 'attempt' && action_id === outcome.action_id && dispatch_id === outcome.dispatch_id,
    )
    if (decisions.length !== 1 || attempts.length !== 1 || !outcome.evidence?.read)
      throw new NotSo(
        `${outcome.operation} ${outcome.entitlement ?? ''}: ${decisions.length} decisions, ${attempts.length} attempts, evidence ${outcome.evidence?.read ?? 'none'}`,
      )
  }
}

const shortTrail = (trail: readonly TrailRow[]): readonly (readonly string[])[] =>
  trail.map((row) => [
    row.recorded_at.toISOString().slice(11, 23),
    row.kind,
    row.kind === 'decision' ? `policy ${row.policy_version}` : (row.operation ?? ''),
    row.entitlement ?? '',
    row.kind === 'outcome' ? `${row.outcome}${row.changed === false ? ' (was so)' : ''}` : '',
    row.kind === 'decision'
      ? row.offset === null
        ? (row.cause ?? '')
        : `${row.topic}/${row.partition} @${row.offset}`
      : (row.evidence?.read ?? ''),
  ])
