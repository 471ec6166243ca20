import { readFile } from 'node:fs/promises'

/**
 * What is wrong with a file that the configuration names, with its path and never with what it holds; null when it can be read
 * and holds what is looked for (anything, unless `wanted` says what).
 */
export const fileProblem = async (
  member: string,
  path: string,
  wanted: { readonly text: string; readonly called: string } | null = null,
): Promise<string | null> => {
  try {
    const text = await readFile(path, 'utf8')
    if (text.trim() === '') return `${member}: ${path} is empty`
    return wanted === null || text.includes(wanted.text) ? null : `${member}: ${path} holds no ${wanted.called}`
  } catch (error) {
    return `${member}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`
  }
}

/** PEM (RFC 7468 §5). */
export const certificate = { text: '-----BEGIN CERTIFICATE-----', called: 'certificate (PEM)' }
