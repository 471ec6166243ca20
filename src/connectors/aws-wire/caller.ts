import { GetCallerIdentityCommand, type GetCallerIdentityCommandOutput, type STSClient } from '@aws-sdk/client-sts'
import type { Send } from './transport.ts'

export type Caller = GetCallerIdentityCommandOutput & {
  /** The `Date` header of the answer: the SDK itself notes a clock only from four minutes on, and shows no header. */
  readonly date: string | null
}

/** Who AWS says that this is, and what its clock says. */
export const askCaller =
  (sts: STSClient): Send<Caller> =>
  async (options) => {
    const command = new GetCallerIdentityCommand({})
    let date: string | null = null
    command.middlewareStack.add(
      (next) => async (input) => {
        const result = await next(input)
        date = dateOf(result.response)
        return result
      },
      { step: 'deserialize', name: 'dateOfAnswer' },
    )
    return { ...(await sts.send(command, options)), date }
  }

const dateOf = (response: unknown): string | null => {
  const { headers } = response as { readonly headers?: Readonly<Record<string, string>> }
  const found = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'date')
  return found?.[1] ?? null
}
