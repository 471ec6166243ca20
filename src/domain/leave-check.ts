/** After a leaver was shut out, the target is read again so often: what comes back by another hand comes back early. Ms. */
export const leaveChecksMs = [300_000, 3_600_000, 86_400_000] as const
