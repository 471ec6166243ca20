/** Packages from PyPI, unpacked into the cache: pinned, checked by pip against our hashes, no root needed. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './download.ts'
import { run } from './run-tool.ts'

export type PythonPackage = { readonly name: string; readonly version: string; readonly sha256: readonly string[] }

/** The directory that holds the package's modules. */
export function pythonPackage({ name, version, sha256 }: PythonPackage): Promise<string> {
  return unpacked(`${name}-${version}`, [`${name}==${version}`, ...sha256.map((h) => `--hash=sha256:${h}`)].join(' '))
}

/** The same for all packages of a list in pip's own form: every one with its version and hashes, nothing else is fetched. */
export function pythonPackages(name: string, requirements: string): Promise<string> {
  return unpacked(name, requirements)
}

function unpacked(name: string, requirements: string): Promise<string> {
  return cached(name, async (into) => {
    const venv = `${into}.venv`
    const list = join(into, 'requirements.txt')
    writeFileSync(list, requirements)
    try {
      await run('python3', ['-m', 'venv', '--clear', venv])
      const only = ['--require-hashes', '--no-deps', '--only-binary', ':all:', '--no-compile', '--quiet']
      await run(join(venv, 'bin', 'python'), ['-m', 'pip', 'install', ...only, '--target', into, '-r', list])
    } finally {
      rmSync(venv, { recursive: true, force: true })
    }
  })
}
