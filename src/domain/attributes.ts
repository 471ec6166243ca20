/** Attributes of a worker event's body that rules and account mappings may read, and what they hold when present. */
export const workerAttributes = {
  workerType: 'text',
  givenName: 'text',
  familyName: 'text',
  displayName: 'text',
  username: 'text',
  workEmail: 'text',
  managerKey: 'text',
  company: 'text',
  department: 'text',
  costCenter: 'text',
  location: 'text',
  country: 'text',
  jobCode: 'text',
  jobTitle: 'text',
  jobLevel: 'text',
} as const satisfies Record<string, 'text'>

/** What rules may read beside them. `status` is the employment's state at that moment: active, leave or suspended. */
export const lifecycleAttributes = { status: 'text', primary: 'flag', involuntary: 'flag' } as const satisfies Record<
  string,
  'text' | 'flag'
>

/** `custom.*` stands for any attribute under the body's `custom`, as `custom.<name>`. */
export const knownAttributes: readonly string[] = [
  ...Object.keys(workerAttributes),
  ...Object.keys(lifecycleAttributes),
  'custom.*',
]
