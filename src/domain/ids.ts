/** Branded ids: a number that is an identity id cannot be passed where an action id is wanted. */
type Brand<T, B extends string> = T & { readonly __brand: B }

/** HR's key of the person: never an employment key, a mail address or a DN. Personal data. */
export type PersonKey = Brand<string, 'PersonKey'>
export type EmploymentKey = Brand<string, 'EmploymentKey'>
/** Row id of an identity in Muster's database. */
export type IdentityId = Brand<number, 'IdentityId'>
/** Random reference of a person: the only name of a person in audit, logs, jobs and metrics. A UUID. */
export type SubjectRef = Brand<string, 'SubjectRef'>
export type TargetId = Brand<string, 'TargetId'>
/** Row id of an entitlement (one grantable thing on one target). */
export type EntitlementId = Brand<number, 'EntitlementId'>
export type AccountId = Brand<number, 'AccountId'>
export type ActionId = Brand<number, 'ActionId'>
export type DispatchId = Brand<number, 'DispatchId'>
/** Id of a decision: the audit entry of one plan of one identity. */
export type DecisionId = Brand<number, 'DecisionId'>
/** Immutable id that the target gave (entryUUID, objectGUID, Graph id): never a name or a DN. */
export type NativeId = Brand<string, 'NativeId'>
/** Number of an applied policy version, 1, 2, 3 … */
export type PolicyVersion = Brand<number, 'PolicyVersion'>
