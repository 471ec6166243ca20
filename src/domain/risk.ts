/** Of an entitlement, as its catalogue entry says. */
export const risks = ['low', 'medium', 'high', 'critical'] as const
export type Risk = (typeof risks)[number]
