import { nativeConnections, type WorkspaceFile } from '@signalbox/sdk/contract'
import type { CatalogueIndex } from '../catalogue/index-catalogue.ts'
import { unknownTarget } from './analysis/unknown-targets.ts'
import type { ProblemList } from './problem-list.ts'
import type { ReadWorkspaceFile } from './workspace-file.ts'

function isPriced(target: string, workspace: WorkspaceFile, catalogue: CatalogueIndex): boolean {
  const own = workspace.catalogue?.[target]
  if (own?.input !== undefined && own.output !== undefined) return true
  const slash = target.indexOf('/')
  const name = target.slice(0, slash)
  const connection = workspace.connections?.[name] ?? nativeConnections[name]
  const id = target.slice(slash + 1)
  // A compatible server's models are a vendor's only where its connection is called after that vendor.
  const byName = connection?.locality === 'on-prem' ? undefined : catalogue.find(name, id)
  const model = catalogue.find(connection?.provider, id) ?? byName
  return model?.prices !== undefined
}

/** Warns of targets of aliases whose cost nobody knows: budgets cannot count them. */
export function warnOfUnpricedTargets(
  { workspace, document }: ReadWorkspaceFile,
  catalogue: CatalogueIndex,
  problems: ProblemList,
): void {
  for (const [alias, targets] of Object.entries(workspace.models ?? {})) {
    for (const [index, target] of targets.entries()) {
      if (isPriced(target, workspace, catalogue)) continue
      const unknown = unknownTarget(target, workspace, catalogue)
      if (unknown !== undefined) {
        const finding = { code: 'unknown_target', message: unknown, severity: 'warning' } as const
        document.report(problems, ['models', alias, index], finding)
        continue
      }
      const message = `the price of "${target}" is not known; give it under "catalogue"`
      const finding = { code: 'unpriced_target', message, severity: 'warning' } as const
      document.report(problems, ['models', alias, index], finding)
    }
  }
}
