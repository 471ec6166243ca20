/** Account assignments: asked for, in progress for a while, then made or failed. */
import { randomUUID } from 'node:crypto'
import { type Behind, page, type Rules } from './rules.ts'
import { AwsError, type Json, notFound, record, text } from './wire.ts'

export type Settling = {
  /** How long a request is in progress, ms. */
  readonly ms: number
  /** And how often its status must have been asked for before it ends. */
  readonly polls: number
  /** One takes up to so much less, another up to so much more, evenly. Default 0. */
  readonly spreadMs?: number
}

type Request = {
  readonly id: string
  readonly kind: 'creation' | 'deletion' | 'provisioning'
  readonly account: string
  readonly body: Json
  readonly begun: number
  /** Of the spread that it gets, -1 … 1. */
  readonly turn: number
  polls: number
  status: 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED'
  reason: string | null
}

/** User guide, limits: not raisable. */
const outstandingAtMost = 15

/** Multiples of it, modulo 1, are spread evenly. */
const goldenPart = 0.618_033_988_749_895

export type Assignments = {
  readonly rules: Rules
  /** The next requests fail so when their time has come, in this order. */
  readonly failNext: (...reasons: readonly string[]) => void
  settling: Settling
  /** false: of a user, only what is its own is listed, as moto does. */
  listsThroughGroups: boolean
  /** Requests in progress, the most there ever were, and how many there were over time. */
  readonly load: () => { readonly now: number; readonly peak: number; readonly busyMs: number }
  /** The inline policy that the role of this permission set on this AWS account has: as last provisioned. */
  readonly effectivePolicy: (permissionSetArn: string, account: string) => string | undefined
}

export const assignments = (): Assignments => {
  const requests = new Map<string, Request>()
  const failures: string[] = []
  const policies = new Map<string, string>()
  let settling: Settling = { ms: 0, polls: 0 }
  let listsThroughGroups = true
  let peak = 0
  let busyMs = 0

  const running = () => [...requests.values()].filter(({ status }) => status === 'IN_PROGRESS')

  /** Ends what is due. The change is made at that moment, not before. */
  const tick = async (behind: Behind): Promise<void> => {
    for (const request of running()) {
      const takes = settling.ms + request.turn * (settling.spreadMs ?? 0)
      if (behind.now() - request.begun < takes || request.polls < settling.polls) continue
      request.status = request.reason === null ? 'SUCCEEDED' : 'FAILED'
      // It was over then, whenever we look.
      busyMs += settling.polls > 0 ? behind.now() - request.begun : takes
      if (request.reason !== null) continue
      if (request.kind === 'provisioning') await provision(request, behind)
      else await commit(request, behind)
    }
  }
  const provision = async ({ body, account }: Request, behind: Behind) => {
    const { InlinePolicy } = await behind.moto.ask('sso-admin', 'GetInlinePolicyForPermissionSet', {
      InstanceArn: body.InstanceArn,
      PermissionSetArn: body.PermissionSetArn,
    })
    const accounts = account === '' ? await accountsOf(text(body, 'PermissionSetArn'), behind) : [account]
    for (const one of accounts) policies.set(`${text(body, 'PermissionSetArn')} ${one}`, String(InlinePolicy ?? ''))
  }
  const commit = async (request: Request, behind: Behind) => {
    const { kind, body } = request
    const exists = await isThere(body, behind)
    if (kind === 'creation' && !exists) {
      await behind.moto.ask('sso-admin', 'CreateAccountAssignment', body)
      place(text(body, 'PermissionSetArn'), request.account)
      await provision(request, behind)
    }
    if (kind === 'deletion' && exists) await behind.moto.ask('sso-admin', 'DeleteAccountAssignment', body)
  }

  /** AWS accounts that have roles of a permission set. */
  const accountsBySet = new Map<string, Set<string>>()
  const place = (arn: string, account: string) =>
    accountsBySet.set(arn, (accountsBySet.get(arn) ?? new Set()).add(account))
  const accountsOf = async (arn: string, behind: Behind): Promise<readonly string[]> => {
    const known = [...(accountsBySet.get(arn) ?? [])]
    const used = await Promise.all(
      known.map((AccountId) =>
        all('ListAccountAssignments', { InstanceArn: behind.instanceArn, PermissionSetArn: arn, AccountId }, behind),
      ),
    )
    return known.filter((_, at) => (used[at] ?? []).length > 0)
  }

  const begin = async (kind: Request['kind'], body: Json, behind: Behind): Promise<Json> => {
    await tick(behind)
    await behind.moto.ask('sso-admin', 'DescribePermissionSet', {
      InstanceArn: body.InstanceArn,
      PermissionSetArn: body.PermissionSetArn,
    })
    const account = kind === 'provisioning' ? '' : text(body, 'TargetId')
    if (kind === 'creation') refuseUnknown(body, behind)
    const others = running().filter((one) => one.kind !== 'provisioning')
    if (kind !== 'provisioning' && others.some((one) => one.account === account))
      throw new AwsError('ConflictException', 'There is a conflicting operation in process for this account.')
    if (kind !== 'provisioning' && others.length >= outstandingAtMost)
      throw new AwsError('ThrottlingException', 'There are too many requests processing. Please try again later.')
    const request: Request = {
      id: randomUUID(),
      kind,
      account,
      body,
      begun: behind.now(),
      turn: 2 * ((requests.size * goldenPart) % 1) - 1,
      polls: 0,
      status: 'IN_PROGRESS',
      reason: failures.shift() ?? null,
    }
    requests.set(request.id, request)
    if (kind !== 'provisioning') peak = Math.max(peak, others.length + 1)
    return statusOf(request)
  }
  const describe = async (id: string, behind: Behind): Promise<Json> => {
    const request = requests.get(id)
    if (request === undefined) throw new AwsError('ResourceNotFoundException', 'No such request')
    request.polls += 1
    await tick(behind)
    return statusOf(request)
  }
  /** To be listed is to be asked about. */
  const list = async (kind: Request['kind'], body: Json, behind: Behind): Promise<readonly Json[]> => {
    const wanted = record(body.Filter).Status ?? 'IN_PROGRESS'
    for (const one of running()) if (one.kind === kind && wanted === 'IN_PROGRESS') one.polls += 1
    await tick(behind)
    return [...requests.values()]
      .filter((one) => one.kind === kind && one.status === wanted)
      .map(({ id, status, begun }) => ({ RequestId: id, Status: status, CreatedDate: begun / 1_000 }))
  }

  const rules: Rules = {
    CreateAccountAssignment: async (body, behind) => ({
      AccountAssignmentCreationStatus: await begin('creation', body, behind),
    }),
    DeleteAccountAssignment: async (body, behind) => ({
      AccountAssignmentDeletionStatus: await begin('deletion', body, behind),
    }),
    ProvisionPermissionSet: async (body, behind) => ({
      PermissionSetProvisioningStatus: await begin('provisioning', body, behind),
    }),
    DescribeAccountAssignmentCreationStatus: async (body, behind) => ({
      AccountAssignmentCreationStatus: await describe(text(body, 'AccountAssignmentCreationRequestId'), behind),
    }),
    DescribeAccountAssignmentDeletionStatus: async (body, behind) => ({
      AccountAssignmentDeletionStatus: await describe(text(body, 'AccountAssignmentDeletionRequestId'), behind),
    }),
    DescribePermissionSetProvisioningStatus: async (body, behind) => ({
      PermissionSetProvisioningStatus: await describe(text(body, 'ProvisionPermissionSetRequestId'), behind),
    }),
    ListAccountAssignmentCreationStatus: async (body, behind) => {
      const { items, next } = page(await list('creation', body, behind), body, behind)
      return { AccountAssignmentsCreationStatus: items, ...next }
    },
    ListAccountAssignmentDeletionStatus: async (body, behind) => {
      const { items, next } = page(await list('deletion', body, behind), body, behind)
      return { AccountAssignmentsDeletionStatus: items, ...next }
    },
    ListAccountsForProvisionedPermissionSet: async (body, behind) => {
      await tick(behind)
      const arn = text(body, 'PermissionSetArn')
      const { InlinePolicy } = await behind.moto.ask('sso-admin', 'GetInlinePolicyForPermissionSet', {
        InstanceArn: body.InstanceArn,
        PermissionSetArn: arn,
      })
      const accounts = (await accountsOf(arn, behind)).filter((account) => {
        const isLatest = policies.get(`${arn} ${account}`) === String(InlinePolicy ?? '')
        const wanted = body.ProvisioningStatus
        return wanted === undefined || (wanted === 'LATEST_PERMISSION_SET_PROVISIONED') === isLatest
      })
      const { items, next } = page(accounts, body, behind)
      return { AccountIds: items, ...next }
    },
    ListAccountAssignments: async (body, behind) => {
      await tick(behind)
      await behind.moto.ask('sso-admin', 'DescribePermissionSet', {
        InstanceArn: body.InstanceArn,
        PermissionSetArn: body.PermissionSetArn,
      })
      const { items, next } = page(await all('ListAccountAssignments', body, behind), body, behind)
      return { AccountAssignments: items, ...next }
    },
    ListAccountAssignmentsForPrincipal: async (body, behind) => {
      await tick(behind)
      const direct = await all('ListAccountAssignmentsForPrincipal', body, behind)
      // Of a user, AWS also lists what it has through its groups, under the group's name.
      const groups =
        body.PrincipalType === 'USER' && listsThroughGroups
          ? behind.state.memberships.ofUser(text(body, 'PrincipalId')).map(({ group }) => group)
          : []
      const indirect: Json[] = []
      for (const PrincipalId of groups)
        indirect.push(
          ...(await all(
            'ListAccountAssignmentsForPrincipal',
            { ...body, PrincipalId, PrincipalType: 'GROUP' },
            behind,
          )),
        )
      const { items, next } = page([...direct, ...indirect], body, behind)
      return { AccountAssignments: items, ...next }
    },
  }
  return {
    rules,
    failNext: (...reasons) => void failures.push(...reasons),
    get settling() {
      return settling
    },
    set settling(wanted) {
      settling = wanted
    },
    get listsThroughGroups() {
      return listsThroughGroups
    },
    set listsThroughGroups(wanted) {
      listsThroughGroups = wanted
    },
    load: () => ({ now: running().length, peak, busyMs }),
    effectivePolicy: (arn, account) => policies.get(`${arn} ${account}`),
  }
}

const all = async (operation: string, body: Json, behind: Behind): Promise<readonly Json[]> => {
  const { NextToken: _, ...first } = body
  const items: Json[] = []
  let token: unknown
  do {
    const asked = { ...first, MaxResults: 100, ...(token === undefined ? {} : { NextToken: token }) }
    const list = await behind.moto.ask('sso-admin', operation, asked)
    items.push(...(Array.isArray(list.AccountAssignments) ? list.AccountAssignments.map(record) : []))
    token = list.NextToken
  } while (token !== undefined)
  return items
}

const isThere = async (body: Json, behind: Behind): Promise<boolean> => {
  const { InstanceArn, PermissionSetArn, TargetId } = body
  const list = await all('ListAccountAssignments', { InstanceArn, PermissionSetArn, AccountId: TargetId }, behind)
  return list.some((one) => one.PrincipalId === body.PrincipalId && one.PrincipalType === body.PrincipalType)
}

const refuseUnknown = (body: Json, { state }: Behind): void => {
  const id = text(body, 'PrincipalId')
  const exists = body.PrincipalType === 'GROUP' ? state.groups.has(id) : state.users.has(id)
  if (!exists) throw new AwsError('ResourceNotFoundException', `${notFound('Principal').message}`)
}

const statusOf = ({ id, status, reason, kind, body, begun }: Request): Json => ({
  RequestId: id,
  Status: status,
  CreatedDate: begun / 1_000,
  PermissionSetArn: body.PermissionSetArn,
  ...(status === 'FAILED' ? { FailureReason: reason } : {}),
  ...(kind === 'provisioning'
    ? {}
    : {
        TargetId: body.TargetId,
        TargetType: body.TargetType,
        PrincipalType: body.PrincipalType,
        PrincipalId: body.PrincipalId,
      }),
})
