import { execFileSync } from 'node:child_process'

function git(folder: string, args: readonly string[]): string[] {
  const text = execFileSync('git', ['-C', folder, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 16 * 1024 * 1024,
  })
  return text.split('\n').filter((line) => line !== '')
}

/**
 * Files of a folder that differ from a Git reference, relative to the folder: changed since the point where the
 * branch left it, not committed, or new. Undefined where Git cannot tell: no repository, no such reference.
 */
export function changedFiles(folder: string, reference: string): ReadonlySet<string> | undefined {
  try {
    const [base = reference] = git(folder, ['merge-base', reference, 'HEAD'])
    const changed = git(folder, ['diff', '--name-only', '--relative', base, '--', '.'])
    const added = git(folder, ['ls-files', '--others', '--exclude-standard', '--', '.'])
    return new Set([...changed, ...added])
  } catch {
    return undefined
  }
}
