import { connectorByHand, manifestOf } from '../app/targets.ts'
import type { TargetId } from '../domain/ids.ts'
import { assertNever } from '../domain/never.ts'
import { type LinkAnswer, linkAccount, unlinkAccount } from '../engine/link.ts'
import { osActor } from './actor.ts'
import type { Answer, Command } from './command.ts'
import { failure, refusal, usage } from './complaint.ts'
import { inOffice } from './configured.ts'
import { counted } from './counted.ts'
import { reasonGiven, reasonOption } from './reason-given.ts'
import { printable } from './table.ts'
import { targetNamed } from './target-named.ts'

const patienceMs = 60_000
const options = { reason: reasonOption } as const

export const link: Command = {
  summary: 'says whose an account is; it is read first, nothing is changed there; audited',
  usage: 'link PERSON TARGET ACCOUNT --reason TEXT',
  more: [
    'PERSON   the personKey of HR, as `muster show identity` takes it',
    'TARGET   its id in muster.yaml',
    'ACCOUNT  its native id there, as `muster account list TARGET` shows it',
    'What the account holds counts from then on in separation of duties; what no rule explains is a finding.',
    'The reason is read by auditors (auditor.reasons).',
  ],
  options,
  run: (call) => {
    const [person, target, account, ...more] = call.words
    if (person === undefined || target === undefined || account === undefined || more.length > 0)
      throw usage(
        'whose account is which?',
        'usage: muster link PERSON TARGET ACCOUNT --reason TEXT; ACCOUNT is its native id, as `muster account list TARGET` shows it',
      )
    const settings = targetNamed(call, target)
    const reason = reasonGiven(call)
    return inOffice(call, async ({ db }) => {
      const connector = await connectorByHand(settings, db)
      try {
        const context = { db, connectors: new Map([[connector.target, connector]]), nudge: () => {} }
        const signal = AbortSignal.timeout(patienceMs)
        const act = { person, target: target as TargetId, account, reason, actor: osActor(), signal }
        return answer(await linkAccount(context, act), person, target)
      } finally {
        await connector.close()
      }
    })
  },
}

export const unlink: Command = {
  summary: 'says that an account is not theirs: it is left as it is, and not linked to them again; audited',
  usage: 'unlink PERSON TARGET --reason TEXT',
  more: [
    'PERSON  the personKey of HR; TARGET: its id in muster.yaml',
    'What the account holds stays on it and counts no more in separation of duties of theirs. Who should have an account',
    'there is given another one, where Muster makes accounts. The reason is read by auditors (auditor.reasons).',
  ],
  options,
  run: (call) => {
    const [person, target, ...more] = call.words
    if (person === undefined || target === undefined || more.length > 0)
      throw usage('whose account on which target?', 'usage: muster unlink PERSON TARGET --reason TEXT')
    const settings = targetNamed(call, target)
    const reason = reasonGiven(call)
    return inOffice(call, async ({ db }) => {
      const act = { person, target: target as TargetId, reason, actor: osActor() }
      const connectors = new Map([[target as TargetId, { manifest: manifestOf(settings) }]])
      return answer(await unlinkAccount({ db, connectors, nudge: () => {} }, act), person, target)
    })
  },
}

const answer = (told: LinkAnswer, person: string, target: string): Answer => {
  const who = printable(person)
  switch (told.kind) {
    case 'linked':
      return {
        json: { person, target, ...told },
        lines: (paint) => [`${who} ${paint.bold('linked')} on ${target}; it holds ${counted(told.grants, 'grant')}`],
      }
    case 'was-so':
      return { json: { person, target, ...told }, lines: () => [`it is ${who}'s already`] }
    case 'unlinked':
      return {
        json: { person, target, ...told },
        lines: (paint) => [
          `${told.account} ${paint.bold('unlinked')}: not ${who}'s any more, and left as it is`,
          `  what it holds no longer counts in separation of duties of ${who}`,
          `  who should have an account on ${target} is to get another one from now on; if the old one matches ${who} still, that waits as a finding account-ambiguous`,
        ],
      }
    case 'unknown-person':
      throw failure(`nobody has the key ${who}`, 'HR names people: `muster show identity` takes the same key')
    case 'no-account':
      throw failure(`${target} has no such account`, `\`muster account list ${target}\` shows native ids`)
    case 'not-linked':
      throw failure(`${who} has no account on ${target}`)
    case 'unread':
      throw failure(`${target} could not be read: ${told.cause}`, '`muster doctor` checks every target')
    case 'has-another':
      throw refusal(
        `${who} has another account there: ${told.account}`,
        `if that is not theirs: muster unlink ${who} ${target} --reason TEXT`,
      )
    case 'somebody-elses':
      throw refusal(
        `it is linked to ${printable(told.person)}`,
        `if that is wrong: muster unlink ${printable(told.person)} ${target} --reason TEXT`,
      )
    case 'protected':
      throw refusal(
        'it is protected: Muster has nothing to do with it',
        `\`protect\` of ${target} in muster.yaml names it`,
      )
    case 'in-work':
      throw refusal(`a change of theirs on ${target} is going out just now`, 'try again in a moment')
    default:
      return assertNever(told)
  }
}
