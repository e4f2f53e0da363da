import { canonicalJson, digestOf } from '@signalbox/sdk/node'
import { type NamedPrices, pricesOfVersions } from '../backtest/world.ts'
import { indexCatalogue } from '../catalogue/index-catalogue.ts'
import type { PinnedCatalogue } from '../catalogue/load-catalogue.ts'
import type { AnalysisReport } from '../compile/analysis/analyse.ts'
import type { AnalysedAtom, AnalysedWorkspace } from '../compile/analysis/analysed-workspace.ts'
import type { Formula } from '../compile/analysis/formula.ts'
import type { BuiltVersion, SourceFiles } from '../compile/built-version.ts'

/** One of the two versions that a plan compares, in its intermediate form. */
export interface PlanSide {
  readonly digest: string
  readonly version: BuiltVersion
  readonly analysis: AnalysisReport
  readonly workspace: AnalysedWorkspace
  /** What names mean and cost, by environment. */
  prices(environment: string): NamedPrices
  /** Digest over a source file and all that it imports. */
  closure(file: string): string
}

/** Puts a side together from what was built. */
export function planSide(
  built: { readonly version: BuiltVersion; readonly analysis: AnalysisReport },
  files: SourceFiles,
  catalogue: PinnedCatalogue,
): PlanSide {
  const { version, analysis } = built
  const index = indexCatalogue(catalogue.catalogue)
  const { workspace } = analysis
  const nodePath = version.compiled.node.split('/').filter((name) => name !== '')
  const deciding = { digest: version.digest, compiled: version.compiled, nodePath }
  const known = new Map<string, string>()
  return {
    digest: version.digest,
    ...{ version, analysis, workspace },
    prices: (environment) => pricesOfVersions([deciding], { environment, catalogue: index }),
    closure(file) {
      const digest = known.get(file) ?? digestOf(canonicalJson(closureOf(file, workspace, files)))
      known.set(file, digest)
      return digest
    },
  }
}

/** Texts of a file and of what it imports, by path. */
function closureOf(file: string, { graph }: AnalysedWorkspace, files: SourceFiles): Record<string, string> {
  const texts: Record<string, string> = {}
  const queue = [file]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (next in texts) continue
    texts[next] = files.get(next) ?? ''
    const scope = /\.(ts|js)$/.test(next) ? graph.scope(next) : undefined
    if (scope !== undefined) queue.push(...graph.importsOf(scope))
  }
  return texts
}

function renamed(formula: Formula, names: ReadonlyMap<string, string>): Formula {
  if (typeof formula === 'boolean') return formula
  if ('and' in formula) return { and: formula.and.map((part) => renamed(part, names)) }
  if ('or' in formula) return { or: formula.or.map((part) => renamed(part, names)) }
  const name = names.get(formula.variable)
  return name === undefined ? formula : { ...formula, variable: name }
}

/**
 * The condition of a rule with its opaque parts named by what they are, so that the same part is the same in both
 * versions: data by its content; code by its text and all the code that it can call.
 */
export function comparable(
  rule: { readonly file: string; readonly atoms: readonly AnalysedAtom[]; readonly when: Formula },
  side: PlanSide,
): Formula {
  const names = new Map<string, string>()
  for (const { formula, expression, text } of rule.atoms) {
    const variable = typeof formula === 'object' && 'variable' in formula ? formula.variable : undefined
    if (variable === undefined || !variable.startsWith('?')) continue
    names.set(
      variable,
      expression === null ? `?${text} ${side.closure(rule.file)}` : `?${canonicalJson(expression)}`,
    )
  }
  const known = renamed(rule.when, names)
  // A condition that is no formula at all stands under the key of its rule.
  const isWhole = rule.atoms.length === 0 && typeof known === 'object' && 'variable' in known
  return isWhole ? { ...known, variable: `?${side.closure(rule.file)}` } : known
}
