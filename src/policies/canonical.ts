import canonicalize from 'canonicalize'
import type { PolicySet } from './policy-set.ts'

/**
 * RFC 8785 text of what the policy means: the same for any split, order or comment of its files, different for
 * anything that could change a decision or its words. The version's hash is SHA-256 of its UTF-8 bytes.
 */
export const canonicalPolicy = ({ implications, ...set }: PolicySet): string => {
  // A set without any reads as it did before there were implications: its version stays the same.
  const text = canonicalize({ format: 1, ...set, ...(implications.length === 0 ? {} : { implications }) })
  if (text === undefined) throw new Error('a policy set is always JSON')
  return text
}
