import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Files that git tracks or would track, relative to the root. */
export const trackedFiles: readonly string[] = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard'],
  { cwd: root, encoding: 'utf8' },
)
  .split('\n')
  .filter((file) => file !== '')
  .sort()

export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
}

const isGenerated = (path: string): boolean => path.includes('.generated.') || path.includes('/migrations/')
/** Workspaces as their authors write them, and samples as guides print them. */
const isAuthored = (path: string): boolean =>
  path.startsWith('policies/starter/') || path.startsWith('test/samples/') || path.includes('/workspaces/')

/** Hand-written TypeScript of the product and its tests. */
export const sources: readonly SourceFile[] = trackedFiles
  .filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !isGenerated(path) && !isAuthored(path),
  )
  .map((path) => {
    const text = readFileSync(join(root, path), 'utf8')
    return { path, text, lines: text.split('\n') }
  })

export const productSources = sources.filter(
  (file) => !file.path.startsWith('test/') && file.path !== 'vitest.config.ts',
)

/** Everything that a file imports, as written; dynamic and type imports included. */
export function importsOf(file: SourceFile): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s+'([^']+)'|(?:^|\n)\s*import\s+'([^']+)'|\bimport\(\s*'([^']+)'/g
  return [...file.text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** Path of a relative import from the root; undefined for packages. */
export function resolveImport(file: SourceFile, specifier: string): string | undefined {
  return specifier.startsWith('.') ? normalize(join(dirname(file.path), specifier)) : undefined
}
