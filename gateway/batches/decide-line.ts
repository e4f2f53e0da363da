import type { IncomingHttpHeaders } from 'node:http'
import { type Caps, Refusal } from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import { checkMetadata, checkModel, checkOperation } from '../key-scope.ts'
import { budgetFacts } from '../money/budget-levels.ts'
import type { CallBudgets } from '../money/call-budgets.ts'
import type { GatewayParts } from '../parts.ts'
import type { ReleasedVersion, Snapshot } from '../snapshot.ts'
import type { Caller } from '../steps/authenticate.ts'
import { buildFacts, type FactsInput } from '../steps/build-facts.ts'
import { allowedUnguarded, decide } from '../steps/decide.ts'
import { readClaims } from '../steps/metadata.ts'
import { resolveModel } from '../steps/resolve-model.ts'
import { select } from '../steps/select.ts'
import { onlyOwned, ownerOf } from '../stored-things.ts'
import { serving, type Target, targetsOf } from '../targets.ts'

/** Who makes a batch, and what it is decided with. */
export interface LineScope {
  readonly caller: Caller
  readonly snapshot: Snapshot
  /** The workspaces that decide, root first. */
  readonly layers: readonly ReleasedVersion[]
  readonly sessionId: string | undefined
  readonly budgets: CallBudgets
  /** Of the request that makes the batch: what they say holds for every line. */
  readonly headers: IncomingHttpHeaders
  /** What the facts of a line are made of. */
  readonly describe: (line: DescribedLine) => FactsInput
  readonly parts: GatewayParts
}
type DescribedLine = Pick<FactsInput, 'call' | 'caller' | 'claims' | 'model' | 'sessionId' | 'budget'>
/** A line that may go out. */
export interface DecidedLine {
  readonly target: Target
  readonly caps: Caps
  /** It names an alias or a connection, which no provider knows. */
  readonly isRenamed: boolean
}

const unsupported = (message: string): Refusal => new Refusal('unsupported_feature', { message })

/**
 * Decides a line of a batch as the call that it is: within the scopes of its key, by all policies, with its own facts.
 * What a decision does beyond allowing it at this connection cannot be done in a batch, and is refused: another
 * connection, changed members, a prompt, steps, guardrails that must block.
 * @throws Refusal where a call like it would be refused, or a batch cannot do what was decided.
 */
export async function decideLine(line: Call, connection: string, scope: LineScope): Promise<DecidedLine> {
  const { caller, snapshot, budgets, parts } = scope
  checkOperation(caller.key, line.operation)
  const named = (line.stored ?? []).map(({ id }) => id)
  if (named.length > 0) await parts.storedIds.learn(named, { again: true })
  const owner = ownerOf(line, caller, snapshot, parts.storedIds)
  const claims = readClaims(line.summary.metadata, scope.headers, scope.layers)
  checkMetadata(caller.key, claims)
  const table = targetsOf(snapshot, parts.providers)
  const model = resolveModel(line.model, line.format, snapshot, table)
  checkModel(caller.key, model)
  const budget = budgets.length === 0 ? undefined : budgetFacts(budgets, snapshot, parts.money)
  const described = { call: line, caller, claims, model, sessionId: scope.sessionId, budget }
  const { facts, columns } = buildFacts(scope.describe(described), snapshot, table)
  const evaluation = decide(facts, columns, caller.place.layers, snapshot)
  const { decision, plan } = allowedUnguarded(evaluation)
  const { caps } = decision
  const sights = { find: table.find, board: parts.health, call: line, facts, caps, nowMs: parts.clock() }
  const selected = select(plan, sights)
  const here = owner ?? { connection, nodeId: caller.key.node }
  if (here.connection !== connection) throw unsupported('It goes on from what another connection keeps.')
  const [planned] = onlyAt(connection, onlyOwned(selected, owner, line).order, line)
  if (planned === undefined) {
    throw unsupported(`It would be served by another connection than "${connection}", where the batch is.`)
  }
  const { patch, prompt } = planned.node
  if (patch !== undefined || prompt !== undefined || planned.steps !== undefined) {
    throw unsupported('The policies change it, which a batch cannot: send it as a call.')
  }
  const writes = line.native?.billing !== 'input' && line.native?.billing !== 'free'
  if (writes) checkLimit(line, caps)
  const isRenamed = model.alias !== undefined || line.model.includes('/')
  return { target: serving(planned.target, line), caps, isRenamed }
}

function onlyAt<T extends { readonly target: Target }>(name: string, order: readonly T[], line: Call): T[] {
  return order.filter(
    ({ target }) => target.connection.name === name && serving(target, line).provider.format === line.format,
  )
}

/** Nothing is written into a line: what limits its output must stand there. */
function checkLimit({ summary }: Call, { maxOutputTokens }: Caps): void {
  if (
    maxOutputTokens === undefined ||
    (summary.maxOutputTokens ?? Number.POSITIVE_INFINITY) <= maxOutputTokens
  )
    return
  throw unsupported(
    `The policies limit its output to ${maxOutputTokens} tokens: it must name no higher limit than that itself.`,
  )
}
