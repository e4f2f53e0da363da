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
import { type Asking, asideTarget, askAside, jsonOf } from '../ask-aside.ts'
import { credentialOf } from '../credentials/credential-of.ts'
import { freePass } from '../money/attempt-hold.ts'
import { decode } from '../steps/decode.ts'
import { baseUrlOf, serving } from '../targets.ts'
import type { LoadedGuardrail } from './guard.ts'
import { addScan, type Found } from './text-findings.ts'

const timeoutMsDefault = 5_000
const answerBytesMax = 1_048_576
const waitingBytesMax = 65_536

/** What those are asked with who are not in this process. */
export interface AskingOthers extends Asking {
  readonly metadata: WebhookQuestion['metadata']
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

/** Asks a model. What that costs is an attempt of the call, and is settled like any other. */
async function askJudge(
  options: GuardrailScanOptions<'judge'>,
  asking: Asking,
  question: { readonly guardrail: string; readonly text: string; readonly deadlineMs: number },
): Promise<string> {
  const dialect = asking.parts.dialects.get('openai-chat')
  if (dialect === undefined) throw new Error('no dialect')
  const raw = Buffer.from(JSON.stringify(judgeRequest(options, question.text)))
  const call = decode(raw, dialect, { operation: 'chat' })
  const target = asideTarget(options.model, asking)
  return askAside(
    {
      ...{ call, target, deadlineMs: question.deadlineMs, mark: { guardrail: question.guardrail } },
      read: ({ json, body }, attempt) => {
        const reply = serving(target, call).provider.decodeReply(json, body)
        attempt.usage = reply.usage
        attempt.finish = reply.nativeFinish
        return reply.blocks.map((block) => (block.type === 'text' ? block.text : '')).join('')
      },
    },
    asking,
  )
}

async function askOne(scan: GuardrailScan, guardrail: LoadedGuardrail, text: string, asking: AskingOthers) {
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
export async function askOthers(
  guardrail: LoadedGuardrail,
  text: string,
  asking: AskingOthers,
): Promise<Found> {
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
