import {
  judgeRequest,
  moderationRequest,
  readJudgement,
  readModeration,
  readWebhook,
  type WebhookQuestion,
} from '@signalbox/policies'
import {
  type DetectorFinding,
  type GuardrailScan,
  type GuardrailScanOptions,
  Refusal,
} from '@signalbox/sdk/contract'
import { credentialOf } from '../credentials/credential-of.ts'
import type { Account } from '../hold-attempt.ts'
import { freePass } from '../money/attempt-hold.ts'
import { budgetsOf } from '../money/call-budgets.ts'
import type { GatewayParts } from '../parts.ts'
import type { Snapshot } from '../snapshot.ts'
import { openAttempt } from '../steps/attempt.ts'
import { decode } from '../steps/decode.ts'
import { resolveModel } from '../steps/resolve-model.ts'
import { settleAttempt } from '../steps/settle.ts'
import { baseUrlOf, serving, type Target, targetsOf } from '../targets.ts'
import { beginAttempt, type Trail } from '../trail.ts'
import type { Exchange } from '../upstream/exchange.ts'
import { parseBody, readWhole } from '../upstream/read-whole.ts'
import type { LoadedGuardrail } from './guard.ts'
import { addScan, type Found } from './text-findings.ts'

const timeoutMsDefault = 5_000
const answerBytesMax = 1_048_576
const waitingBytesMax = 65_536

/** What those are asked with who are not in this process. */
export interface Asking {
  readonly parts: GatewayParts
  readonly snapshot: Snapshot
  readonly trail: Trail
  readonly metadata: WebhookQuestion['metadata']
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/** The JSON that an exchange answers with. Throws where there is none of it. */
async function jsonOf(exchange: Exchange): Promise<{ readonly json: unknown; readonly body: Buffer }> {
  const failure = await exchange.head
  if (failure === undefined) exchange.flow()
  const body = failure ?? (await readWhole(exchange))
  if (!Buffer.isBuffer(body))
    throw body.kind === 'timeout' ? new TimeoutError(body.kind) : new Error(body.kind)
  if (exchange.status < 200 || exchange.status >= 300) throw new Error(`status ${exchange.status}`)
  return { json: parseBody(body), body }
}

/** POST to a connection of the workspace, through the one way out. */
async function post(
  { parts, snapshot }: Asking,
  to: { readonly connection: string; readonly path: string; readonly body: object },
  deadlineMs: number,
): Promise<unknown> {
  const connection = snapshot.connections.get(to.connection)
  const provider = connection && parts.providers.get(connection.provider)
  if (connection === undefined || provider === undefined) throw new Error('no connection')
  const baseUrl = baseUrlOf(connection, provider)
  if (baseUrl === undefined) throw new Error('no base URL')
  if (connection.status !== 'available') throw new Error('the connection is not available')
  const credential = await credentialOf({ provider, connection }, parts.accessTokens)
  const left = deadlineMs - parts.clock()
  const exchange = parts.upstream.open({
    request: {
      method: 'POST',
      path: to.path,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(to.body)),
      dropped: [],
      responseDropped: [],
      addedUsage: false,
      identity: true,
    },
    baseUrl,
    ca: connection.ca,
    // What such services take is nothing that a budget of tokens or of models counts.
    permit: freePass,
    credentials: provider.authenticate(credential),
    limits: {
      ...{ connectMs: left, firstTokenMs: left, idleMs: left, clientIdleMs: left, deadlineMs },
      ...{ bytesMax: answerBytesMax, waitingBytesMax },
    },
    dispatch: undefined,
  })
  return (await jsonOf(exchange)).json
}

/** The first of a model's targets that can be asked. */
function judgeTarget(model: string, { snapshot, parts }: Asking): Target {
  const { targets } = resolveModel(model, 'openai-chat', snapshot, targetsOf(snapshot, parts.providers))
  const usable = targets.find(({ connection }) => connection.status !== 'unavailable')
  if (usable === undefined) throw new Error('no target')
  return usable
}

/** The caller pays for his judges too. */
function accountOf({ snapshot, trail }: Asking): Account {
  const { keyId, nodeId } = trail
  const isKnown = keyId !== undefined && nodeId !== undefined
  const budgets = isKnown ? budgetsOf(snapshot, { id: keyId, node: nodeId }) : []
  return { callId: trail.id, budgets, capLeft: undefined, isReadWhole: true }
}

/** Asks a model. What that costs is an attempt of the call, and is settled like any other. */
async function askJudge(
  options: GuardrailScanOptions<'judge'>,
  asking: Asking,
  question: { readonly guardrail: string; readonly text: string; readonly deadlineMs: number },
): Promise<string> {
  const { parts, trail } = asking
  const dialect = parts.dialects.get('openai-chat')
  if (dialect === undefined) throw new Error('no dialect')
  const raw = Buffer.from(JSON.stringify(judgeRequest(options, question.text)))
  const call = decode(raw, dialect, { operation: 'chat' })
  const target = serving(judgeTarget(options.model, asking), call)
  const attempt = beginAttempt(trail, target, parts.clock())
  attempt.guardrail = question.guardrail
  const { upstream, money, simulate, clock, attemptDefaults: defaults, accessTokens } = parts
  try {
    const credential = await credentialOf(target, accessTokens)
    const open = await openAttempt(
      {
        ...{ credential, call, target, caps: {}, fidelity: 'lossy', headers: {}, trail: attempt },
        node: { target: target.name },
        account: accountOf(asking),
        isWanted: () => true,
        deadlineMs: question.deadlineMs,
      },
      { upstream, money, simulate, clock, defaults },
    )
    const { json, body } = await jsonOf(open.exchange).finally(() => {
      const { status, firstByteMs, bytesIn, sent } = open.exchange
      Object.assign(attempt, { status, firstByteMs, bytesIn, sent })
    })
    const reply = target.provider.decodeReply(json, body)
    attempt.usage = reply.usage
    attempt.finish = reply.nativeFinish
    attempt.outcome = 'ok'
    return reply.blocks.map((block) => (block.type === 'text' ? block.text : '')).join('')
  } catch (error) {
    attempt.outcome = error instanceof TimeoutError ? 'timeout' : 'error'
    throw error
  } finally {
    attempt.endMs = parts.clock()
    settleAttempt(attempt, Math.ceil(raw.length / 4))
    attempt.hold?.settle(attempt, attempt.endMs)
  }
}

async function askOne(scan: GuardrailScan, guardrail: LoadedGuardrail, text: string, asking: Asking) {
  const { id, direction, timeoutMs = timeoutMsDefault } = guardrail.compiled
  const deadlineMs = asking.parts.clock() + timeoutMs
  const { judge, moderation, webhook } = scan
  if (judge !== undefined) {
    return readJudgement(judge, await askJudge(judge, asking, { guardrail: id, text, deadlineMs }), text)
  }
  if (moderation !== undefined) {
    const { connection } = moderation
    const to = { connection, path: '/moderations', body: moderationRequest(moderation, text) }
    return readModeration(moderation, await post(asking, to, deadlineMs), text)
  }
  if (webhook === undefined) throw new Refusal('internal')
  const body: WebhookQuestion = { guardrail: id, direction, text, metadata: asking.metadata }
  return readWebhook(await post(asking, { ...webhook, body }, deadlineMs), text)
}

/**
 * Asks models and services what they find in a text, all at once. One that gives no answer is named among the errors.
 * An empty text is nothing to ask about.
 */
export async function askOthers(guardrail: LoadedGuardrail, text: string, asking: Asking): Promise<Found> {
  const findings: DetectorFinding[] = []
  const scores = new Map<string, number>()
  const errors: string[] = []
  if (text === '') return { findings, scores, errors }
  await Promise.all(
    [...guardrail.remote].map(async ([name, scan]) => {
      try {
        addScan({ findings, scores }, name, await askOne(scan, guardrail, text, asking))
      } catch {
        errors.push(name)
      }
    }),
  )
  return { findings, scores, errors }
}
