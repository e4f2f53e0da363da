import type { PinnedCatalogue } from '../catalogue/load-catalogue.ts'
import type { BuildResult, SourceFiles } from '../compile/built-version.ts'
import { startOfFile } from '../compile/text-position.ts'
import { ApartError } from './run-apart.ts'
import type { Tasks } from './tasks.ts'
import type { WarmThread } from './warm-thread.ts'

/** A workspace that cannot be built within time and memory. */
function refused(message: string): BuildResult {
  const problem = { severity: 'error', code: 'build_limit', file: 'signalbox.yaml', ...startOfFile } as const
  return {
    problems: [{ ...problem, message: `the workspace cannot be built: ${message}` }],
    version: null,
    analysis: null,
  }
}

/** What to build, and how much of it to look at. */
export interface BuildApartOptions {
  readonly catalogue: PinnedCatalogue
  /** True if left out. */
  readonly typeCheck?: boolean
  /** True if left out. */
  readonly runCases?: boolean
}

function inputOf(files: SourceFiles, options: BuildApartOptions): Tasks['build']['input'] {
  const { text, digest } = options.catalogue
  const { typeCheck = true, runCases = true } = options
  return { files, catalogue: { text, digest }, typeCheck, runCases }
}

/** The output, or that the workspace took more time or memory than there is. */
async function unlessTooMuch(work: Promise<Tasks['build']['output']>): Promise<Tasks['build']['output']> {
  try {
    return await work
  } catch (error) {
    const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    if (isMemory || error instanceof ApartError) return { result: refused(error.message), cases: null }
    throw error
  }
}

/**
 * Builds a version and runs its cases, both in a thread that stays for the next build, so that whoever edits or pushes
 * need not wait for its start; `cases` is null where there is no version. What takes longer than the thread allows, or
 * more than 1 GiB, is a problem of the workspace like any other; after it the next build gets a new thread.
 */
export async function buildWarm(
  thread: WarmThread,
  files: SourceFiles,
  options: BuildApartOptions,
): Promise<Tasks['build']['output']> {
  return await unlessTooMuch(thread.run('build', inputOf(files, options)))
}
