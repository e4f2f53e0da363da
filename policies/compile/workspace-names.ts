import { hostConnections, nativeConnections, type WorkspaceFile } from '@signalbox/sdk/contract'
import { didYouMean } from './near-name.ts'
import type { Finding } from './problem-list.ts'
import type { PromptNames } from './prompt-names.ts'

/** Names that the policies of a workspace may use. */
export interface WorkspaceNames {
  readonly aliases: ReadonlySet<string>
  /** Declared ones, native ones, and those of hosts that exist with their key. */
  readonly connections: ReadonlySet<string>
  readonly guardrails: ReadonlyMap<string, 'input' | 'output'>
  readonly prompts: PromptNames
}

export function namesOfWorkspace(
  workspace: Pick<WorkspaceFile, 'models' | 'connections'>,
  others: Pick<WorkspaceNames, 'guardrails' | 'prompts'>,
): WorkspaceNames {
  const { models = {}, connections = {} } = workspace
  return {
    aliases: new Set(Object.keys(models)),
    connections: new Set(
      [connections, nativeConnections, hostConnections].flatMap((each) => Object.keys(each)),
    ),
    ...others,
  }
}

/** What is wrong with the name of a connection; `where` names what it stands in. */
export function checkConnection(
  name: string,
  connections: ReadonlySet<string>,
  where = '',
): Finding | undefined {
  if (connections.has(name)) return undefined
  const message = `unknown connection "${name}"${where}${didYouMean(name, connections)}`
  return { code: 'unknown_connection', message }
}

/** What is wrong with `connection/model`. */
export function checkTarget(target: string, connections: ReadonlySet<string>): Finding | undefined {
  const connection = target.slice(0, Math.max(0, target.indexOf('/')))
  return checkConnection(connection, connections, ` in "${target}"`)
}

/** What is wrong with a model that a policy names: an alias, or a target. */
export function checkModelName(name: string, names: WorkspaceNames): Finding | undefined {
  if (names.aliases.has(name)) return undefined
  if (name.includes('/')) return checkTarget(name, names.connections)
  const hint = didYouMean(name, names.aliases)
  const message = `unknown model "${name}": it is no alias of signalbox.yaml${hint || ', and has no connection'}`
  return { code: 'unknown_model', message }
}

/** What is wrong with a guardrail that a policy demands. */
export function checkGuardrail(
  demand: { id: string; direction: 'input' | 'output' },
  names: WorkspaceNames,
): Finding | undefined {
  const direction = names.guardrails.get(demand.id)
  if (direction === demand.direction) return undefined
  const message =
    direction === undefined
      ? `unknown guardrail "${demand.id}"${didYouMean(demand.id, names.guardrails.keys())}`
      : `guardrail "${demand.id}" checks the ${direction}, not the ${demand.direction}`
  return { code: 'unknown_guardrail', message }
}
