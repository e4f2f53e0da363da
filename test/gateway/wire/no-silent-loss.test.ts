import { Refusal } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import type { Call, ChatPayload } from '../../../gateway/call.ts'
import type { Dialect } from '../../../gateway/dialect.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as gemini } from '../../../gateway/dialects/gemini.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import { dialect as responses } from '../../../gateway/dialects/openai-responses.ts'
import { dialect as vercel } from '../../../gateway/dialects/vercel-ai.ts'
import { loadProviders } from '../../../gateway/load-providers.ts'
import type { EncodeOptions, Provider } from '../../../gateway/provider.ts'
import type { speaking } from '../../../gateway/targets.ts'
import { conversation } from './features/conversation-features.ts'
import { bases, type Feature, type Json, type Speaker } from './features/feature-row.ts'
import { changedAt, isNamed, leavesOf, without } from './features/leaves.ts'
import { loops } from './features/loop-features.ts'
import { parameters } from './features/parameter-features.ts'
import { toolFeatures } from './features/tool-features.ts'

const dialects: Readonly<Record<Speaker, Dialect>> = {
  'openai-chat': chat,
  'openai-responses': responses,
  'anthropic-messages': messages,
  gemini,
  'vercel-ai': vercel,
}
/** The rows of the table of features. */
const features: readonly Feature[] = [...conversation, ...loops, ...toolFeatures, ...parameters]
const providers = await loadProviders()

interface Upstream {
  readonly name: string
  readonly provider: Provider
  readonly model: string
}
function upstream(id: string, model: string, format: Parameters<typeof speaking>[1]): Upstream {
  const base = providers.get(id)
  if (base === undefined) throw new Error(`no provider ${id}`)
  const provider = base.format === format ? base : (base.otherFormats?.[format] ?? base)
  return { name: `${id}/${model} in ${provider.format}`, provider, model }
}
/** Who is asked: every format, with models that take much and models that take little. */
const upstreams: readonly Upstream[] = [
  upstream('openai', 'gpt-5.5', 'openai-chat'),
  upstream('openai', 'gpt-4.1', 'openai-chat'),
  upstream('openai', 'gpt-5.5', 'openai-responses'),
  upstream('openai', 'gpt-4.1', 'openai-responses'),
  upstream('anthropic', 'claude-opus-4-8', 'anthropic-messages'),
  upstream('anthropic', 'claude-sonnet-4-5', 'anthropic-messages'),
  upstream('gemini', 'gemini-3-pro-preview', 'gemini'),
  upstream('gemini', 'gemini-2.5-flash', 'gemini'),
  upstream('openai-compatible', 'llama3.3', 'openai-chat'),
  upstream('mistral', 'mistral-large', 'openai-chat'),
  upstream('deepseek', 'deepseek-chat', 'openai-chat'),
  upstream('perplexity', 'sonar', 'openai-chat'),
  upstream('cohere', 'command-a-03-2025', 'openai-chat'),
  upstream('bedrock', 'anthropic.claude-sonnet-4-5-20250929-v1:0', 'openai-chat'),
  upstream('bedrock', 'amazon.nova-pro-v1:0', 'openai-chat'),
]

function callOf(speaker: Speaker, body: Json): Call {
  return dialects[speaker].decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat', {
    method: 'POST',
    url: '/v1beta/models/m:generateContent',
    headers: { 'ai-language-model-id': 'm', 'ai-language-model-specification-version': '3' },
  })
}
/** What becomes of a request: the body that goes out and what is said to be lost, or why nothing goes out. */
interface Outcome {
  readonly body?: Json
  readonly dropped: readonly string[]
  readonly refused?: string
}
function send(speaker: Speaker, body: Json, { provider, model }: Upstream, fidelity?: 'lossy'): Outcome {
  const options: EncodeOptions = {
    model,
    caps: {},
    headers: {},
    outputTokensMax: 32_000,
    ...(fidelity && { fidelity }),
  }
  try {
    const request = provider.encodeRequest(callOf(speaker, body), options)
    const dropped = [...request.dropped, ...request.responseDropped]
    return { body: JSON.parse(request.body.toString('utf8')) as Json, dropped }
  } catch (error) {
    if (error instanceof Refusal)
      return { dropped: [], refused: `${error.code} ${error.param} ${error.message}` }
    throw error
  }
}
const same = (a: Outcome, b: Outcome): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Values of a feature that neither change what goes out nor are named. */
function silences(speaker: Speaker, ask: Json, target: Upstream): string[] {
  const body = { ...bases[speaker], ...ask }
  const whole = send(speaker, body, target, 'lossy')
  if (whole.refused !== undefined) return [`refused: ${whole.refused}`]
  return leavesOf(body, bases[speaker]).flatMap((leaf) => {
    if (isNamed(body, leaf, whole.dropped)) return []
    const changed = send(speaker, changedAt(body, leaf), target, 'lossy')
    // Where no other value is valid, it is enough that it matters whether it is there.
    const other = changed.refused?.startsWith('invalid_request')
      ? send(speaker, without(body, leaf), target, 'lossy')
      : changed
    return same(other, whole) ? [leaf.path] : []
  })
}
const spoken = (feature: Feature): [Speaker, Json][] => Object.entries(feature.asks) as [Speaker, Json][]

/** Values that say nothing by themselves, and why. */
const harmless: readonly (readonly [path: RegExp, why: string, to?: RegExp])[] = [
  [/tool_calls\[\d\]\.type$|^tools\[\d\]\.type$|tool_choice.*\.type$/, 'the member beside it says the same'],
  [
    /cache_?[cC]ontrol\.type$|thinking\.type$|output\.type$/,
    'there is one kind alone, or the value shows it',
  ],
  [/^contents\[\d\]\.role$/, 'a turn that is not the model’s is the user’s'],
  [/functionResponse\.name$|\.toolName$/, 'a result belongs to its call by its id'],
  [/fileData\.mimeType$|prompt.*\.mediaType$/, 'other formats look at what an address leads to'],
  [/source\.media_type$/, 'a text is plain text'],
  [/^messages\[1\]\.content$/, 'nothing beside a refusal'],
  [/^tool_?[cC]hoice(\.type)?$/, 'auto is what happens anyway', /cohere/],
  [/functionCallingConfig\.mode$/, 'auto is what happens anyway'],
  [/^tools\[/, 'without a tool none is called', /tool choice none.*bedrock/],
  [
    /^tools\[(1|0\]\.functionDeclarations\[2)\]/,
    'a tool that may not be called is not offered',
    /anthropic|cohere|bedrock/,
  ],
  [/^tool_choice\.(mode|tools\[\d\]\.type)$/, 'auto is the mode, functions are the tools'],
  [/^tools\[\d\]\.name$/, 'the answer has the search under the caller’s own name', /search of the web/],
  [/user_location\.type$/, 'there is one kind alone'],
  [/^max_tool_calls$/, 'it counts calls of the tools that are named'],
  [/reasoning\.summary$|includeThoughts$/, 'that thinking is shown is all that it says'],
  [/budget_?[tT]okens$|thinkingBudget$/, 'a budget becomes the level that it is in'],
  [/generationConfig\.logprobs$/, 'how many is nothing where there are none'],
  [/\.strict$/, 'these enforce every schema', /anthropic|gemini|cohere/],
  [/(json_schema|format|responseFormat)\.name$/, 'a label for the caller’s own logs', /cohere/],
]
const saysNothing = (path: string, where: string): boolean =>
  harmless.some(([pattern, , to]) => pattern.test(path) && (to === undefined || to.test(where)))

/** What a body of a format that callers speak too comes to in canonical form. */
function readBack({ provider }: Upstream, body: Json): ChatPayload | undefined {
  const format = provider.format as Speaker
  return dialects[format] === undefined ? undefined : callOf(format, { ...bases[format], ...body }).payload()
}

describe('what a caller asks for', () => {
  for (const feature of features) {
    it(`${feature.name}: goes on or is named, by every dialect to every provider`, () => {
      const silent: Record<string, string[]> = {}
      for (const [speaker, ask] of spoken(feature)) {
        for (const target of upstreams) {
          const found = silences(speaker, ask, target).filter(
            (path) => !saysNothing(path, `${feature.name} ${target.name}`),
          )
          for (const each of found) {
            const key = `${speaker}: ${each}`
            silent[key] = [...(silent[key] ?? []), target.name]
          }
        }
      }
      expect(silent).toEqual({})
    })
  }

  for (const feature of features.filter(({ read }) => read !== undefined)) {
    it(`${feature.name}: means the same to every provider, or its loss is named`, () => {
      const changed: Record<string, unknown> = {}
      for (const [speaker, ask] of spoken(feature)) {
        const body = { ...bases[speaker], ...ask }
        const asked = feature.read?.(callOf(speaker, body).payload())
        for (const target of upstreams) {
          const sent = send(speaker, body, target, 'lossy')
          const again = sent.body === undefined ? undefined : readBack(target, sent.body)
          if (again === undefined || target.provider.format === speaker) continue
          const arrived = feature.read?.(again)
          const isSame = JSON.stringify(arrived) === JSON.stringify(asked)
          const names = leavesOf(body, bases[speaker]).some((leaf) => isNamed(body, leaf, sent.dropped))
          if (!isSame && !names) changed[`${speaker} to ${target.name}`] = { asked, arrived }
        }
      }
      expect(changed).toEqual({})
    })
  }

  it('is refused where its loss would change the answer, unless the call may lose it', () => {
    const meant = [
      'audio',
      'several answers',
      'log probabilities',
      'structured output',
      'tool choice by name',
      'tools that run at the provider',
      'one tool call at a time',
      'conversation of the provider',
      'file by id',
      'video',
    ]
    const lost: string[] = []
    for (const feature of features.filter(({ name }) => meant.includes(name))) {
      for (const [speaker, ask] of spoken(feature)) {
        for (const target of upstreams) {
          const body = { ...bases[speaker], ...ask }
          const { dropped } = send(speaker, body, target)
          const whole = dropped.filter(
            (path) =>
              !/strict|detail|schema|filename|title|displayName|max_tool_calls|top_logprobs/.test(path) &&
              !path.startsWith('response.'),
          )
          if (whole.length > 0)
            lost.push(`${feature.name}: ${speaker} to ${target.name}: ${whole.join(', ')}`)
        }
      }
    }
    expect(lost).toEqual([])
  })
})
