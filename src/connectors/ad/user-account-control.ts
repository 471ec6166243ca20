/** Bits of userAccountControl (MS-ADTS §2.2.16). */
const accountDisable = 0x2
const normalAccount = 0x200
export const newAccount = String(normalAccount | accountDisable)

export const isEnabled = (control: number): boolean => (control & accountDisable) === 0

/** The same with only that bit changed. */
export const withEnabled = (control: number, enabled: boolean): number =>
  // >>> 0: the highest bits are used by AD, and JavaScript would make the number negative.
  (enabled ? control & ~accountDisable : control | accountDisable) >>> 0
