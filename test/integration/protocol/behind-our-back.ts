/** Changes of the directory behind Muster's back, and what the bank's policies say of them. */
import type { House } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'

/** Every entitlement of the bank is only reported, or made right again, when somebody changes it. */
export const reporting = (text: string) => text.replaceAll(/^ {4}drift: .*\n/gm, '')
export const reverting = (text: string) => reporting(text).replaceAll(/^( {4})(risk: )/gm, '$1drift: revert\n$1$2')

/** Open findings, urgent ones with a `!`. */
export const findingsOf = async (house: House): Promise<readonly string[]> =>
  (
    await house.rows<{ kind: string; urgent: boolean }>(
      'select kind, urgent from muster.finding where closed_at is null order by kind',
    )
  ).map(({ kind, urgent }) => `${kind}${urgent ? '!' : ''}`)

export const setLocked = (house: House, person: string, to: boolean): Promise<void> =>
  asDirectoryRoot(house.ldap, async (client) => {
    const { Attribute, Change } = await import('ldapts')
    const modification = new Attribute({ type: 'pwdAccountLockedTime', values: to ? ['000001010000Z'] : [] })
    await client.modify((await house.account(person))?.dn ?? '', new Change({ operation: 'replace', modification }))
  })

/** The groups came after the policy: what each entitlement is, is asked once more. */
export const resolved = async (house: House): Promise<void> => {
  await house.shift(61_000)
  await house.sweep()
}
