import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import { callerAddress } from '../caller-address.ts'
import { factsInput, layersOf } from '../handle-call.ts'
import { checkAddress, checkMetadata, checkModel, checkOperation } from '../key-scope.ts'
import type { DecidedCall } from '../limits/admit-call.ts'
import { budgetFacts } from '../money/budget-levels.ts'
import { budgetsOf } from '../money/call-budgets.ts'
import type { GatewayParts } from '../parts.ts'
import { noteDecided, takeArms } from '../rollouts/take-arms.ts'
import { authenticate, type Caller } from '../steps/authenticate.ts'
import { buildFacts } from '../steps/build-facts.ts'
import { allowedUnguarded, decide } from '../steps/decide.ts'
import { readClaims } from '../steps/metadata.ts'
import { readOptions } from '../steps/read-options.ts'
import { resolveModel } from '../steps/resolve-model.ts'
import { type PlannedTarget, refusalOfEmpty, select } from '../steps/select.ts'
import { targetsOf } from '../targets.ts'
import { askedOf, type Trail } from '../trail.ts'
import { summaryOf } from '../wire/openai-operations/json-operation.ts'

/** A session that may be opened, and where. */
export interface SessionPlan {
  readonly caller: Caller
  /** The request's headers with the key where a server has it. */
  readonly headers: IncomingHttpHeaders
  readonly order: readonly PlannedTarget[]
  /** What limits look at. */
  readonly decided: DecidedCall
}

const keyProtocol = 'openai-insecure-api-key.'
const operation = 'realtime'

/** Browsers can set no headers on a WebSocket: their key comes as one of the protocols. */
export function headersWithKey(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim())
  const named = protocols.find((each) => each.startsWith(keyProtocol))
  if (named === undefined || headers.authorization !== undefined) return headers
  return { ...headers, authorization: `Bearer ${named.slice(keyProtocol.length)}` }
}

function callOf(url: string): Call {
  const model = new URLSearchParams(url.split('?')[1]).get('model') ?? ''
  if (model === '') throw new Refusal('invalid_request', { message: '`model` is missing.', param: 'model' })
  return {
    operation,
    dialect: 'openai',
    format: 'openai-chat',
    model,
    stream: true,
    raw: Buffer.alloc(0),
    json: {},
    summary: summaryOf([]),
    payload() {
      throw new Refusal('unsupported_feature', {
        message: 'A session has no conversation before it is open.',
      })
    },
  }
}

/**
 * Decides on a session when it is opened, with the same steps as a call.
 * @throws Refusal where it may not be, or cannot be.
 */
export function planSession(request: IncomingMessage, trail: Trail, parts: GatewayParts): SessionPlan {
  const headers = headersWithKey(request.headers)
  const base = parts.snapshots.current()
  const caller = authenticate(headers, request.url ?? '', base, trail.startMs)
  const options = readOptions(headers)
  const snapshot = takeArms(
    base,
    caller,
    { userId: undefined, sessionId: options.sessionId },
    { trail, parts },
  )
  const layers = layersOf(caller, snapshot)
  trail.version = layers.at(-1)
  trail.keyId = caller.key.id
  trail.nodeId = caller.key.node
  checkAddress(caller.key, callerAddress(request, parts))
  checkOperation(caller.key, operation)

  if (headers['x-signalbox-prompt'] !== undefined) {
    const message = 'A session takes no prompt: send its instructions in session.update.'
    throw new Refusal('invalid_request', { message, param: 'x-signalbox-prompt' })
  }
  const call = callOf(request.url ?? '')
  trail.asked = askedOf(call)
  const claims = readClaims(call.summary.metadata, headers, layers)
  trail.metadata = claims.metadata
  trail.undeclared = claims.undeclared
  checkMetadata(caller.key, claims)
  const table = targetsOf(snapshot, parts.providers)
  const model = resolveModel(call.model, call.format, snapshot, table)
  checkModel(caller.key, model)
  // Its turns have records of their own: the session's id is what they have in common.
  const sessionId = options.sessionId ?? trail.id
  const budgets = budgetsOf(snapshot, caller.key)
  const budget = budgets.length === 0 ? undefined : budgetFacts(budgets, snapshot, parts.money)
  const { facts, columns } = buildFacts(
    factsInput({ call, caller, claims, model, sessionId, budget }, trail, request, parts),
    snapshot,
    table,
  )
  trail.facts = facts
  const decidedMs = parts.clock()
  const evaluation = decide(facts, columns, caller.place.layers, snapshot)
  trail.evaluation = evaluation
  trail.evaluatedMs = { startMs: decidedMs, endMs: parts.clock() }
  noteDecided(base, trail, parts)
  const { decision, plan } = allowedUnguarded(evaluation)
  const { caps } = decision
  const scope = { find: table.find, board: parts.health, call, facts, caps, nowMs: decidedMs }
  const selected = select(plan, scope)
  trail.selection = selected.selection
  if (selected.order.length === 0) throw refusalOfEmpty(selected)
  const decided = { call, caller, facts, selected, snapshot }
  return { caller, headers, order: selected.order, decided }
}
