/** What a terminal may show of an exported variable: the value, without what is secret in it. */
export function shown(name: string, value: string): string {
  if (/PASSWORD|SECRET/.test(name) && !name.endsWith('_FILE')) return '…'
  return value.replace(/^([a-z]+:\/\/[^/?#:@]*):[^/?#@]*@/i, '$1:…@')
}
