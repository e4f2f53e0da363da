import type { PinnedCatalogue } from '../catalogue/load-catalogue.ts'
import type { BuildResult, SourceFiles } from '../compile/built-version.ts'
import { startOfFile } from '../compile/text-position.ts'
import { ApartError, runApart } from './run-apart.ts'
import type { Tasks } from './tasks.ts'

/** A workspace that cannot be built within time and memory. */
function refused(message: string): BuildResult {
  const problem = { severity: 'error', code: 'build_limit', file: 'signalbox.yaml', ...startOfFile } as const
  return {
    problems: [{ ...problem, message: `the workspace cannot be built: ${message}` }],
    version: null,
    analysis: null,
  }
}

/**
 * Builds a version and runs its cases, both in a thread of their own; `cases` is null where there is no version.
 * What takes longer than two minutes or more than 1 GiB is a problem of the workspace like any other.
 */
export async function buildApart(
  files: SourceFiles,
  options: { readonly catalogue: PinnedCatalogue; readonly typeCheck?: boolean },
): Promise<Tasks['build']['output']> {
  const { text, digest } = options.catalogue
  const input = { files, catalogue: { text, digest }, typeCheck: options.typeCheck ?? true }
  try {
    return await runApart('build', input)
  } catch (error) {
    const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    if (isMemory || error instanceof ApartError) return { result: refused(error.message), cases: null }
    throw error
  }
}
