import { expect, test } from 'vitest'
import { createSignIn } from '../../../../src/connectors/aws-wire/sign-in.ts'

/** Another session at each asking; `minutes` long. */
const sessions = (minutes: number) => {
  const asked: boolean[] = []
  let clock = Date.parse('2026-11-22T08:00:00Z')
  const signIn = createSignIn(
    {
      obtain: async (isRefused) => {
        asked.push(isRefused)
        const expiration = new Date(clock + minutes * 60_000)
        return { accessKeyId: `ASIA${asked.length}`, secretAccessKey: 's', sessionToken: 't', expiration }
      },
      isReadEachTime: false,
    },
    () => clock,
  )
  return { asked, signIn, pass: (ms: number) => void (clock += ms) }
}

test('one session for all that wait for it, and another one five minutes before its end', async () => {
  const { asked, signIn, pass } = sessions(60)
  const all = await Promise.all([signIn.current(), signIn.credentials(), signIn.credentials()])
  expect(new Set(all.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(['ASIA1']))
  pass(55 * 60_000)
  expect(await signIn.credentials()).toMatchObject({ accessKeyId: 'ASIA1' })
  pass(1)
  expect(await signIn.credentials()).toMatchObject({ accessKeyId: 'ASIA2' })
  expect(asked).toEqual([false, false])
})

test('refused: one more for all who were, none in place of one that is new', async () => {
  const { asked, signIn, pass } = sessions(60)
  const first = await signIn.current()
  expect(await signIn.others(first)).toBe(false)
  pass(5_000)
  expect(await Promise.all([signIn.others(first), signIn.others(first)])).toEqual([true, true])
  // Whoever was slower finds it there.
  expect(await signIn.others(first)).toBe(true)
  const second = await signIn.current()
  expect(second).toMatchObject({ accessKeyId: 'ASIA2' })
  expect(await signIn.others(second)).toBe(false)
  expect(asked).toEqual([false, true])
})

test.each([
  [0, 1],
  [1, 0],
])(
  'refused while what was there is still being read: it is read once more, whichever ends first (%i)',
  async (...order) => {
    const pair = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: 's' })
    const reads: PromiseWithResolvers<ReturnType<typeof pair>>[] = []
    const signIn = createSignIn(
      {
        obtain: () => {
          const read = Promise.withResolvers<ReturnType<typeof pair>>()
          reads.push(read)
          return read.promise
        },
        isReadEachTime: true,
      },
      () => 0,
    )
    const begun = signIn.credentials()
    const others = signIn.others(pair('AKIA1'))
    expect(reads).toHaveLength(2)
    for (const at of order) {
      reads[at]?.resolve(pair(at === 0 ? 'AKIA1' : 'AKIA2'))
      await [begun, others][at]
    }
    expect(await others).toBe(true)
    expect(await signIn.current()).toEqual(pair('AKIA2'))
  },
)

test('a clock that is set back holds nothing up', async () => {
  const { signIn, pass } = sessions(60)
  const first = await signIn.current()
  pass(-3_600_000)
  expect(await signIn.others(first)).toBe(true)
})
