import type { CompiledWorkspace, Problem } from '@signalbox/sdk/contract'
import type { CatalogueIndex } from '../catalogue/index-catalogue.ts'
import type { Sandbox } from '../sandbox/index.ts'
import { applyAllowances } from './analysis/allowances.ts'
import type { SourceFiles } from './built-version.ts'
import { compileWorkspace } from './compile-workspace.ts'
import { ProblemList } from './problem-list.ts'

const policyFile = /^policies\/.*\.policy\.(ts|json)$/

/** What cases need of a version; nothing that is stored or sent. */
export interface CompiledPart {
  readonly digest: string
  readonly script: string
  readonly compiled: CompiledWorkspace
}
export interface PartResult {
  /** Null where one of the problems is an error. */
  readonly part: CompiledPart | null
  readonly problems: readonly Problem[]
}

/**
 * Compiles a workspace as if only some of its policies were there, without types and golden vectors: what those
 * policies alone come to is the same. For the moments in which a person waits.
 */
export async function compilePart(
  files: SourceFiles,
  policies: ReadonlySet<string> | 'all',
  around: { readonly sandbox: Sandbox; readonly catalogue: CatalogueIndex },
): Promise<PartResult> {
  const problems = new ProblemList()
  const kept = policies === 'all' ? files : withOnly(files, policies)
  const sources = await compileWorkspace(kept, { ...around, problems })
  // A param may be declared by a policy that was left out.
  if (policies !== 'all')
    problems.dropWhere(({ code, file }) => code === 'unknown_param' && file === 'signalbox.yaml')
  // Warnings are about the whole.
  if (policies !== 'all') problems.dropWhere(({ severity }) => severity !== 'error')
  problems.soften('unsupported_strategy')
  if (policies === 'all') applyAllowances(files, problems)
  const found = problems.sorted()
  if (sources === undefined || problems.hasErrors()) return { part: null, problems: found }
  const { compiled, bundle } = sources
  return { part: { digest: '', script: bundle.script, compiled }, problems: found }
}

function withOnly(files: SourceFiles, policies: ReadonlySet<string>): SourceFiles {
  return new Map([...files].filter(([path]) => !policyFile.test(path) || policies.has(path)))
}
