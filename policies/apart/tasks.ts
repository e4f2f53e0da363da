import type { Problem } from '@signalbox/sdk/contract'
import type { CasesReport } from '../cases/run-cases.ts'
import type { PinnedCatalogue } from '../catalogue/load-catalogue.ts'
import type { BuildResult, SourceFiles } from '../compile/built-version.ts'
import type { PreparedLayer } from '../evaluation/layer.ts'
import type { VersionDiff } from '../plan/version-diff.ts'
import type { EngineLimits, LoadedWorkspace } from '../program.ts'

/** Sources of a version, and the catalogue that it was made with. */
export interface ComparedSources {
  readonly files: SourceFiles
  readonly catalogue: Pick<PinnedCatalogue, 'text' | 'digest'>
}

/** Work that takes too long for a thread which answers requests: what goes in, what comes out. */
export interface Tasks {
  /** Loads the scripts of workspaces. */
  readonly prepare: {
    readonly input: {
      readonly workspaces: readonly LoadedWorkspace[]
      readonly environment: string
      readonly limits: Partial<EngineLimits>
    }
    readonly output: readonly PreparedLayer[]
  }
  /** Builds a version and runs its cases. */
  readonly build: {
    readonly input: {
      readonly files: SourceFiles
      readonly catalogue: Pick<PinnedCatalogue, 'text' | 'digest'>
      readonly typeCheck: boolean
      readonly runCases: boolean
    }
    /** `cases` is null where there is no version, or they were not asked for; `analysis` always. */
    readonly output: { readonly result: BuildResult; readonly cases: CasesReport | null }
  }
  /** Builds two versions and says what the second means differently. */
  readonly compare: {
    readonly input: Readonly<Record<'before' | 'after', ComparedSources>>
    /** A problem where sources do not compile (any more). */
    readonly output: VersionDiff | { readonly side: 'before' | 'after'; readonly problem: Problem }
  }
}
export type TaskName = keyof Tasks
/** One task for a thread. */
export type Task = {
  readonly [Name in TaskName]: { readonly name: Name; readonly input: Tasks[Name]['input'] }
}[TaskName]
/** What the thread says at its end. An error goes as its text. */
export type Outcome<Name extends TaskName> =
  | { readonly output: Tasks[Name]['output'] }
  | { readonly failed: string }
