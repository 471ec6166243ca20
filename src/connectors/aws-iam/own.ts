import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import type { NativeId } from '../../domain/ids.ts'
import { failureText } from '../aws-wire/errors.ts'
import type { OwnThing, Snapshot } from '../connector.ts'
import type { Iam } from './iam.ts'
import { lookupOf } from './lookup.ts'

/**
 * The role that Muster runs as: whoever may assume it is Muster. The caller's id of an assumed role is
 * `<role id>:<session name>` (IAM user guide, "Unique identifiers"); users and root are no roles. Its ARN ends in
 * `assumed-role/<role name>/<session name>`: by that name the role is known when it was made anew.
 */
export const own = async ({ transport, bucket, sts }: Iam, signal: AbortSignal): Promise<Snapshot<OwnThing>> => {
  const me = await transport.read(bucket, (options) => sts.send(new GetCallerIdentityCommand({}), options), signal)
  if (!me.ok) return { kind: 'partial', items: [], cause: failureText(me.failure) }
  const [id = '', session] = (me.value.UserId ?? '').split(':')
  const name = /:assumed-role\/([^/]+)\//.exec(me.value.Arn ?? '')?.[1]
  return {
    kind: 'complete',
    items:
      session === undefined || id === ''
        ? []
        : [
            {
              kind: 'entitlement',
              nativeId: id as NativeId,
              ...(name === undefined ? {} : { lookup: lookupOf({ name }) }),
            },
          ],
  }
}
