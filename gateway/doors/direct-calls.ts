import { type CallRecord, type DirectCall, DirectReport, Refusal } from '@signalbox/sdk/contract'
import { describeViolations, fits, violationsOf } from '@signalbox/sdk/node'
import type { Express, Request, Response } from 'express'
import { callerAddress } from '../caller-address.ts'
import { derivedId } from '../derived-id.ts'
import { refuse, requestId } from '../door-answers.ts'
import { layersOf } from '../handle-call.ts'
import { keptRecord } from '../kept-record.ts'
import { checkAddress } from '../key-scope.ts'
import { logBug } from '../log-bug.ts'
import type { GatewayParts } from '../parts.ts'
import { costOf, isPlausibleUsage } from '../prices.ts'
import { readBody } from '../read-body.ts'
import { ResponseWriter } from '../response-writer.ts'
import type { Snapshot } from '../snapshot.ts'
import { authenticate, type Caller } from '../steps/authenticate.ts'
import { readBody as parseBody } from '../steps/decode.ts'
import { type Claims, readClaims } from '../steps/metadata.ts'

/** Where clients tell what they did while no gateway answered. */
export const directPath = '/v1/direct'
const reportBytesMax = 262_144
const dayMs = 86_400_000
/** What is told later than this is not taken, nor what is further in the future than clocks differ. */
const ageMsMax = 7 * dayMs
const aheadMsMax = 300_000

/** Takes calls that were made past the gateway, as records that say so. Nothing of them is in any budget. */
export function mountDirectCalls(app: Express, parts: GatewayParts): void {
  app.post(directPath, (request: Request, response: Response) => {
    const writer = new ResponseWriter(response)
    writer.header('x-request-id', requestId(request, parts.createId()))
    take(request, parts)
      .then((recorded) =>
        writer.send(200, ['content-type', 'application/json'], JSON.stringify({ recorded })),
      )
      .catch((error: unknown) => {
        const isRefusal = error instanceof Refusal
        const refusal = isRefusal ? error : new Refusal('internal', { detail: logBug(parts.log, error) })
        const dialect = parts.dialects.get('openai-chat')
        if (dialect !== undefined) refuse(refusal, dialect, writer)
      })
  })
}

async function take(request: Request, parts: GatewayParts): Promise<number> {
  const snapshot = parts.snapshots.current()
  const caller = authenticate(request.headers, request.url, snapshot, parts.clock())
  checkAddress(caller.key, callerAddress(request, parts))
  if (caller.key.scopes?.direct !== true) {
    throw new Refusal('forbidden', { message: 'This key does not allow calls past the gateway.' })
  }
  const report: unknown = parseBody(await readBody(request, reportBytesMax))
  if (!fits(DirectReport, report)) {
    const message = `The report is not valid: ${describeViolations(violationsOf(DirectReport, report))}`
    throw new Refusal('invalid_request', { message, param: 'calls' })
  }
  const nowMs = parts.clock()
  for (const [index, call] of report.calls.entries()) checkCall(call, index, nowMs)
  for (const call of report.calls) {
    const isListed = snapshot.catalogue.find(call.provider, call.model) !== undefined
    parts.ended.told((sequence) =>
      keptRecord(recordOf(call, sequence, { caller, snapshot, parts }), snapshot, isListed),
    )
  }
  return report.calls.length
}

function checkCall(call: DirectCall, index: number, nowMs: number): void {
  const ageMs = nowMs - call.timeMs
  const isTimely = ageMs <= ageMsMax && ageMs >= -aheadMsMax
  if (isTimely && isPlausibleUsage(call.usage ?? {})) return
  const member = isTimely ? 'usage' : 'timeMs'
  const message = isTimely ? 'has a usage that cannot be' : 'is too far from now'
  throw new Refusal('invalid_request', {
    message: `\`calls[${index}].${member}\` ${message}.`,
    param: `calls[${index}].${member}`,
  })
}

/** The same for the same call of the same key, so that what is told twice is stored once. */
const recordId = (keyId: string, id: string): string => derivedId(`direct ${keyId} ${id}`)

/** What a caller said of it, as far as it is declared and right: what is over cannot be refused. */
function claimsOf({ metadata = {} }: DirectCall, caller: Caller, snapshot: Snapshot): Claims {
  try {
    return readClaims(metadata, {}, layersOf(caller, snapshot))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { metadata: {}, undeclared: Object.keys(metadata).map((name) => name.slice(0, 64)), route: '' }
  }
}

function recordOf(
  call: DirectCall,
  sequence: number,
  context: { readonly caller: Caller; readonly snapshot: Snapshot; readonly parts: GatewayParts },
): CallRecord {
  const { caller, snapshot, parts } = context
  const { release } = snapshot
  const prices = snapshot.catalogue.find(call.provider, call.model)?.prices
  const cost = call.usage === undefined ? undefined : costOf(call.usage, prices)
  const claims = claimsOf(call, caller, snapshot)
  const isAnswer = call.status >= 200 && call.status < 300
  const detail = `direct: the gateway was ${call.reason === 'notReady' ? 'not ready' : 'not reached'}`
  return {
    row: {
      id: recordId(caller.key.id, call.id),
      organisationId: release.organisationId,
      environment: release.environment,
      gatewayId: parts.identity.gatewayId,
      incarnation: parts.identity.incarnation,
      sequence,
      timeMs: call.timeMs,
      durationMs: call.durationMs,
      keyId: caller.key.id,
      nodeId: caller.key.node,
      operation: 'chat',
      dialect: 'openai-chat',
      stream: call.stream,
      modelRequested: call.requested,
      target: `${call.provider}/${call.model}`.slice(0, 256),
      provider: call.provider,
      effect: 'none',
      status: call.status === 0 ? 502 : call.status,
      ...(!isAnswer && { errorCode: call.status === 0 ? 'upstream_unavailable' : 'upstream_error' }),
      truncated: false,
      attempts: 1,
      usage: call.usage ?? {},
      evidence: call.usage === undefined ? 'none' : 'reported',
      ...(cost !== undefined && { costNanoUsd: String(cost) }),
      metadata: { ...claims.metadata },
      cache: 'off',
      identity: false,
      assembled: false,
      direct: true,
    },
    body: {
      factsClass: 'full',
      policies: [],
      fuel: 0,
      evaluationUs: 0,
      attempts: [],
      verdicts: [],
      dropped: [],
      undeclaredMetadata: [...claims.undeclared],
      error: { code: 'direct', message: 'Made past the gateway, which did not answer.', detail },
      text: { received: 0, delivered: 0 },
    },
  }
}
