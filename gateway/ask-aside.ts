import type { Call } from './call.ts'
import { credentialOf } from './credentials/credential-of.ts'
import type { Outcome } from './health/target-health.ts'
import type { Account } from './hold-attempt.ts'
import { budgetsOf } from './money/call-budgets.ts'
import type { GatewayParts } from './parts.ts'
import type { Snapshot } from './snapshot.ts'
import { openAttempt } from './steps/attempt.ts'
import { resolveModel } from './steps/resolve-model.ts'
import { settleAttempt } from './steps/settle.ts'
import { serving, type Target, targetsOf } from './targets.ts'
import { type AttemptTrail, beginAttempt, type Trail } from './trail.ts'
import type { Exchange } from './upstream/exchange.ts'
import { parseBody, readWhole } from './upstream/read-whole.ts'

/** Who asks a model beside a call's own way: a guardrail, the cache. */
export interface Asking {
  readonly parts: GatewayParts
  readonly snapshot: Snapshot
  readonly trail: Trail
}
export interface AsideQuestion<T> {
  readonly call: Call
  readonly target: Target
  /** What the attempt is made for, as its record says. */
  readonly mark: Partial<Pick<AttemptTrail, 'guardrail' | 'purpose'>>
  readonly deadlineMs: number
  /** Reads the answer, and notes what it says of its cost. */
  readonly read: (answer: { readonly json: unknown; readonly body: Buffer }, attempt: AttemptTrail) => T
}

export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/** The JSON that an exchange answers with. Throws where there is none of it. */
export async function jsonOf(exchange: Exchange): Promise<{ readonly json: unknown; readonly body: Buffer }> {
  const failure = await exchange.head
  if (failure === undefined) exchange.flow()
  const body = failure ?? (await readWhole(exchange))
  if (!Buffer.isBuffer(body))
    throw body.kind === 'timeout' ? new TimeoutError(body.kind) : new Error(body.kind)
  if (exchange.status < 200 || exchange.status >= 300) throw new Error(`status ${exchange.status}`)
  return { json: parseBody(body), body }
}

/** The first of a model's targets that can be asked. Throws where there is none. */
export function asideTarget(model: string, { snapshot, parts }: Asking): Target {
  const { targets } = resolveModel(model, 'openai-chat', snapshot, targetsOf(snapshot, parts.providers))
  const usable = targets.find(({ connection }) => connection.status !== 'unavailable')
  if (usable === undefined) throw new Error('no target')
  return usable
}

/** The caller pays for what is asked beside his call too. */
function accountOf({ snapshot, trail }: Asking): Account {
  const { keyId, nodeId } = trail
  const isKnown = keyId !== undefined && nodeId !== undefined
  const budgets = isKnown ? budgetsOf(snapshot, { id: keyId, node: nodeId }) : []
  return { callId: trail.id, budgets, capLeft: undefined, isReadWhole: true }
}

/** What it says of the target; nothing where the question never went out, or was refused. */
function outcomeOf({ outcome, status, sent }: AttemptTrail): Outcome {
  if (outcome === 'ok') return { kind: 'good' }
  return { kind: outcome === 'timeout' || status >= 500 || (sent && status === 0) ? 'bad' : 'unknown' }
}

/**
 * Asks a model something that is not the caller's answer. What that costs is an attempt of the call, which is held,
 * settled and recorded like any other. Throws where no answer comes.
 */
export async function askAside<T>(question: AsideQuestion<T>, asking: Asking): Promise<T> {
  const { parts, trail } = asking
  const { call, deadlineMs, mark } = question
  const target = serving(question.target, call)
  const attempt = Object.assign(beginAttempt(trail, target, parts.clock()), mark)
  attempt.billing = call.native?.billing ?? 'tokens'
  const { upstream, money, simulate, clock, attemptDefaults: defaults, accessTokens } = parts
  try {
    const credential = await credentialOf(target, accessTokens)
    const open = await openAttempt(
      {
        ...{ credential, call, target, caps: {}, fidelity: 'lossy', headers: {}, trail: attempt },
        node: { target: target.name },
        account: accountOf(asking),
        isWanted: () => true,
        deadlineMs,
      },
      { upstream, money, simulate, clock, defaults },
    )
    const answer = await jsonOf(open.exchange).finally(() => {
      const { status, firstByteMs, bytesIn, sent } = open.exchange
      Object.assign(attempt, { status, firstByteMs, bytesIn, sent })
    })
    const read = question.read(answer, attempt)
    attempt.outcome = 'ok'
    return read
  } catch (error) {
    attempt.outcome = error instanceof TimeoutError ? 'timeout' : 'error'
    throw error
  } finally {
    attempt.endMs = parts.clock()
    settleAttempt(attempt, Math.ceil(call.raw.length / 4))
    attempt.hold?.settle(attempt, attempt.endMs)
    if (target.connection.status === 'available') {
      parts.health.note(parts.health.of(question.target), outcomeOf(attempt))
    }
  }
}
