import type { WorkspaceFile } from '@signalbox/sdk/contract'
import type { SourceFiles } from '../compile/built-version.ts'
import { parseYamlDocument } from '../compile/yaml-document.ts'

const workspaceFileName = 'signalbox.yaml'

/** What `teams:` of a workspace declares, by name. Only for a workspace that has been built, so its form is right. */
export function readDeclaredTeams(files: SourceFiles): NonNullable<WorkspaceFile['teams']> {
  const document = parseYamlDocument(workspaceFileName, files.get(workspaceFileName) ?? '')
  return (document.value as WorkspaceFile).teams ?? {}
}
