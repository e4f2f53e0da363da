import {
  type CatalogueModel,
  hostConnections,
  nativeConnections,
  type WorkspaceFile,
} from '@signalbox/sdk/contract'
import type { CatalogueIndex } from '../catalogue/index-catalogue.ts'
import { unknownTarget } from './analysis/unknown-targets.ts'
import type { ProblemList } from './problem-list.ts'
import type { ReadWorkspaceFile } from './workspace-file.ts'

/** What the catalogue knows of a target. */
function rowOf(
  target: string,
  workspace: WorkspaceFile,
  catalogue: CatalogueIndex,
): CatalogueModel | undefined {
  const slash = target.indexOf('/')
  const name = target.slice(0, slash)
  const connection = workspace.connections?.[name] ?? nativeConnections[name] ?? hostConnections[name]
  const id = target.slice(slash + 1)
  // A compatible server's models are a vendor's only where its connection is called after that vendor.
  const byName = connection?.locality === 'on-prem' ? undefined : catalogue.find(name, id)
  return catalogue.find(connection?.provider, id) ?? byName
}

function isPriced(target: string, workspace: WorkspaceFile, catalogue: CatalogueIndex): boolean {
  const own = workspace.catalogue?.[target]
  if (own?.input !== undefined && own.output !== undefined) return true
  return rowOf(target, workspace, catalogue)?.prices !== undefined
}

const dayMs = 86_400_000
/** How long before its end a target is warned of, in days. */
const noticeDays = 30

/**
 * Warns of targets of aliases whose vendor stops them within 30 days of `today` (`2026-11-22`), or has done so.
 */
export function warnOfRetiringTargets(
  { workspace, document }: ReadWorkspaceFile,
  catalogue: CatalogueIndex,
  problems: ProblemList,
  today: string,
): void {
  const latest = new Date(Date.parse(today) + noticeDays * dayMs).toISOString().slice(0, 10)
  for (const [alias, targets] of Object.entries(workspace.models ?? {})) {
    for (const [index, target] of targets.entries()) {
      const model = rowOf(target, workspace, catalogue)
      if (model?.retires === undefined || model.retires > latest) continue
      const when = model.retires <= today ? 'was stopped on' : 'will be stopped on'
      const instead = model.successor === undefined ? '' : `; its vendor names "${model.successor}" instead`
      const message = `"${target}" ${when} ${model.retires}${instead}`
      const finding = { code: 'retiring_target', message, severity: 'warning' } as const
      document.report(problems, ['models', alias, index], finding)
    }
  }
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
