/** IAM hands documents out percent-encoded (RFC 3986); a JSON text as it is has quotes. */
export const decoded = (document: string): string => (/["{]/.test(document) ? document : decodeURIComponent(document))

/** Characters that count against IAM's quotas: «IAM doesn't count white space» (user guide, IAM and AWS STS quotas). */
export const sizeOf = (document: string): number => document.replace(/[\t\n\r ]/g, '').length
