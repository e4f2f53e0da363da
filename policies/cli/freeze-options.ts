import type { Client } from '@signalbox/sdk'
import type { CliContext } from './context.ts'
import { Failure } from './context.ts'
import type { Output } from './output.ts'

type Frozen = Awaited<ReturnType<Client['freezeEnvironment']>>
export interface FreezeOptions {
  env: string
  deployments?: boolean
  candidates?: boolean
  policy?: string[]
}

/** `POLICY` of the only workspace of an environment, or `WORKSPACE/POLICY`. */
async function policyOf(text: string, { env }: FreezeOptions, client: Client) {
  const at = text.indexOf('/')
  if (at !== -1) return { workspace: text.slice(0, at), policy: text.slice(at + 1) }
  const { environments } = await client.getStatus({ environment: env })
  const names = environments.flatMap(({ deployments }) => deployments.map(({ workspace }) => workspace))
  const [workspace] = names
  if (workspace === undefined || names.length > 1) {
    throw new Failure(
      `Name the workspace too: WORKSPACE/${text} (${names.join(', ') || 'none is deployed'}).`,
    )
  }
  return { workspace, policy: text }
}

/** What the options name. */
export async function freezeScope(options: FreezeOptions, context: CliContext) {
  const { deployments, candidates, policy = [] } = options
  const client = context.client()
  const policies = await Promise.all(policy.map((each) => policyOf(each, options, client)))
  return {
    environment: options.env,
    ...(deployments === true && { deployments }),
    ...(candidates === true && { candidates }),
    ...(policies.length > 0 && { policies }),
  }
}

/** What is switched off now. */
export function printFreeze({ environment, freeze, pending }: Frozen, output: Output): void {
  if (freeze === null) output.line(`${environment}: nothing is frozen`)
  else output.line(`${environment}: ${freezeText(freeze)}`)
  if (pending !== undefined) output.note(`waiting for ${pending.join(', ')}`)
}

export function freezeText(freeze: NonNullable<Frozen['freeze']>): string {
  const parts = [
    ...(freeze.deployments ? ['deployments'] : []),
    ...(freeze.candidates ? ['candidates'] : []),
    ...freeze.policies.map(({ workspace, policy }) => `policy ${workspace}/${policy}`),
  ]
  return `frozen: ${parts.join(', ')} by ${freeze.by}: ${freeze.reason}`
}

/** An option that may be given several times. */
export const collect = (value: string, before: string[] = []): string[] => [...before, value]
