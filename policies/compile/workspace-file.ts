import { WorkspaceFile } from '@signalbox/sdk/contract'
import { checkDrills } from './declared-drills.ts'
import type { MetadataSchemas } from './fact-schemas.ts'
import { checkPropertySchemas } from './metadata-schemas.ts'
import { didYouMean } from './near-name.ts'
import type { ProblemList } from './problem-list.ts'
import { reportSchemaProblems } from './schema-problems.ts'
import { type DocumentPath, parseOrReport, type SourceDocument } from './source-document.ts'
import { startOfFile } from './text-position.ts'
import { checkModelName, checkTarget, namesOfWorkspace } from './workspace-names.ts'
import { parseYamlDocument } from './yaml-document.ts'

export const workspaceFileName = 'signalbox.yaml'

export interface ReadWorkspaceFile {
  readonly workspace: WorkspaceFile
  readonly document: SourceDocument
  /** Metadata schemas that are good. */
  readonly metadata: MetadataSchemas
}
type Report = (
  path: DocumentPath,
  finding: { code: string; message: string } | undefined,
  part?: 'key',
) => void

function checkTargets(workspace: WorkspaceFile, connections: ReadonlySet<string>, report: Report): void {
  const check = (models: WorkspaceFile['models'], path: DocumentPath) => {
    for (const [alias, targets] of Object.entries(models ?? {})) {
      for (const [index, target] of targets.entries()) {
        report([...path, alias, index], checkTarget(target, connections))
      }
    }
  }
  check(workspace.models, ['models'])
  for (const [name, environment] of Object.entries(workspace.environments ?? {})) {
    check(environment.models, ['environments', name, 'models'])
  }
  for (const target of Object.keys(workspace.catalogue ?? {})) {
    report(['catalogue', target], checkTarget(target, connections), 'key')
  }
}

/** Environments override what there is; a name that overrides nothing is a slip. */
function checkOverrides(workspace: WorkspaceFile, connections: ReadonlySet<string>, report: Report): void {
  const aliases = Object.keys(workspace.models ?? {})
  for (const [name, environment] of Object.entries(workspace.environments ?? {})) {
    for (const alias of Object.keys(environment.models ?? {})) {
      if (aliases.includes(alias)) continue
      const message = `"${alias}" overrides no alias of "models"${didYouMean(alias, aliases)}`
      report(['environments', name, 'models', alias], { code: 'unknown_model', message }, 'key')
    }
    for (const connection of Object.keys(environment.connections ?? {})) {
      if (connections.has(connection)) continue
      const message = `"${connection}" overrides no connection${didYouMean(connection, connections)}`
      report(
        ['environments', name, 'connections', connection],
        { code: 'unknown_connection', message },
        'key',
      )
    }
  }
}

function checkNames(workspace: WorkspaceFile, report: Report): void {
  const names = namesOfWorkspace(workspace, { guardrails: new Map(), prompts: new Map() })
  checkTargets(workspace, names.connections, report)
  checkOverrides(workspace, names.connections, report)
  if (workspace.safeRoute !== undefined) report(['safeRoute'], checkModelName(workspace.safeRoute, names))
  for (const [name, { drills = {} }] of Object.entries(workspace.environments ?? {})) {
    const at = ['environments', name, 'drills']
    checkDrills(drills, names, (path, finding, part) => report([...at, ...path], finding, part))
  }
}

/** Reads and checks `signalbox.yaml`. Undefined where it is missing or not of its schema; all is reported. */
export function readWorkspaceFile(
  text: string | undefined,
  problems: ProblemList,
): ReadWorkspaceFile | undefined {
  if (text === undefined) {
    const message = 'there is no signalbox.yaml; it needs at least a "name"'
    problems.add(workspaceFileName, startOfFile, { code: 'missing_file', message })
    return undefined
  }
  const parse = () => parseYamlDocument(workspaceFileName, text)
  const document = parseOrReport(parse, workspaceFileName, problems)
  if (document === undefined || !reportSchemaProblems(WorkspaceFile, document, problems)) return undefined
  // Fits the schema, as was just checked.
  const workspace = document.value as WorkspaceFile
  checkNames(workspace, (path, finding, part) => {
    if (finding !== undefined) document.report(problems, path, finding, part)
  })
  const metadata = checkPropertySchemas(document, 'metadata', problems)
  return { workspace, document, metadata }
}
