import type { WorkspaceFile } from '@signalbox/sdk/contract'
import type { SourceFiles } from '../compile/built-version.ts'
import { parseYamlDocument } from '../compile/yaml-document.ts'

const workspaceFileName = 'signalbox.yaml'

/** The least coverage in per cent that an environment asks for. */
export interface RequiredCoverage {
  readonly percent: number
  /** Where `signalbox.yaml` says so. */
  readonly line: number
  readonly column: number
}

/**
 * `environments.NAME.coverage` of a workspace. Only for a workspace that has been built, so its form is right.
 * Undefined where the environment asks for none.
 */
export function readRequiredCoverage(files: SourceFiles, environment: string): RequiredCoverage | undefined {
  const document = parseYamlDocument(workspaceFileName, files.get(workspaceFileName) ?? '')
  const { environments = {} } = document.value as WorkspaceFile
  const declared = Object.hasOwn(environments, environment) ? environments[environment] : undefined
  if (declared?.coverage === undefined) return undefined
  return { percent: declared.coverage, ...document.locate(['environments', environment, 'coverage']) }
}
