import type { CompiledWorkspace, Problem, VersionManifest } from '@signalbox/sdk/contract'
import type { AnalysisReport } from './analysis/analyse.ts'

/** Sources of a workspace: path relative to its folder, with `/`, → text. */
export type SourceFiles = ReadonlyMap<string, string>

export interface BuiltVersion {
  /** Digest of the manifest's canonical JSON: what the version is named by. */
  readonly digest: string
  readonly manifest: VersionManifest
  readonly compiled: CompiledWorkspace
  /** All policies and guardrails with their runtime, as the sandbox loads them. */
  readonly script: string
  /** Every `source/…` and `compiled/…` blob by digest, and the manifest's canonical JSON under the version's digest. */
  readonly blobs: ReadonlyMap<string, Uint8Array>
}

/** All problems at once, by file and position; `version` is null where one of them is an error. */
export interface BuildResult {
  readonly problems: Problem[]
  readonly version: BuiltVersion | null
  /** What static analysis has to tell beside problems; null where the sources do not compile. */
  readonly analysis: AnalysisReport | null
}
