import { hash } from 'node:crypto'
import { arrayAt, memberOf, numberOf, textOf } from './loose-json.ts'
import type { Stamp } from './simulated-format.ts'

const charsPerToken = 4
const dimensionsDefault = 64
const dimensionsMax = 4096
/** Categories that a moderation names. Source: API reference of Moderations. */
const categories = ['harassment', 'hate', 'illicit', 'self-harm', 'sexual', 'violence'] as const

const tokensOf = (text: string): number => Math.max(1, Math.ceil(text.length / charsPerToken))

/** What an input has to embed: each text, or each list of tokens. */
function inputsOf(body: unknown): readonly unknown[] {
  const input = memberOf(body, 'input')
  if (!Array.isArray(input)) return [input]
  return typeof input[0] === 'number' ? [input] : input
}

/** A unit vector that is always the same for the same input. */
function vectorOf(input: unknown, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions)
  let digest = hash('sha512', JSON.stringify(input) ?? '', 'buffer')
  for (let at = 0; at < dimensions; at++) {
    if (at > 0 && at % digest.length === 0) digest = hash('sha512', digest, 'buffer')
    vector[at] = (digest[at % digest.length] ?? 0) - 127.5
  }
  const length = Math.hypot(...vector)
  return vector.map((each) => each / length)
}

function embeddings(body: unknown): unknown {
  const asked = numberOf(memberOf(body, 'dimensions')) ?? dimensionsDefault
  const dimensions = Math.min(dimensionsMax, Math.max(1, asked))
  const inputs = inputsOf(body)
  const isBase64 = memberOf(body, 'encoding_format') === 'base64'
  let tokens = 0
  const data = inputs.map((input, index) => {
    tokens += Array.isArray(input) ? input.length : tokensOf(textOf(input))
    const vector = vectorOf(input, dimensions)
    const bytes = Buffer.from(vector.buffer)
    return { object: 'embedding', index, embedding: isBase64 ? bytes.toString('base64') : [...vector] }
  })
  const usage = { prompt_tokens: tokens, total_tokens: tokens }
  return { object: 'list', data, model: textOf(memberOf(body, 'model')), usage }
}

function moderations(body: unknown, { token }: Stamp): unknown {
  const of = <T>(value: T): Record<string, T> => Object.fromEntries(categories.map((name) => [name, value]))
  const input = memberOf(body, 'input')
  const inputs = Array.isArray(input) && typeof input[0] === 'string' ? input : [input]
  const results = inputs.map(() => ({ flagged: false, categories: of(false), category_scores: of(0) }))
  return { id: `modr-${token}`, model: textOf(memberOf(body, 'model')), results }
}

function countTokens(body: unknown): unknown {
  const said = [memberOf(body, 'system'), arrayAt(body, 'messages'), arrayAt(body, 'tools')]
  return { input_tokens: tokensOf(JSON.stringify(said)) }
}

function inputTokens(body: unknown): unknown {
  const said = [memberOf(body, 'instructions'), memberOf(body, 'input'), arrayAt(body, 'tools')]
  return { object: 'response.input_tokens', input_tokens: tokensOf(JSON.stringify(said)) }
}

/** The conversation as one item that says nothing to anybody else. */
function compaction(body: unknown, { token }: Stamp): unknown {
  const tokens = tokensOf(JSON.stringify(memberOf(body, 'input') ?? ''))
  const usage = { input_tokens: tokens, output_tokens: 1, total_tokens: tokens + 1 }
  const output = [{ id: `cmp_${token}`, type: 'compaction', encrypted_content: 'c2ltdWxhdGVk' }]
  return { id: `resp_${token}`, object: 'response.compaction', output, usage }
}

/** Google asks for one text, or for several in one request. */
function geminiEmbeddings(body: unknown): unknown {
  const requests = memberOf(body, 'requests')
  const all = Array.isArray(requests) ? requests : [body]
  let tokens = 0
  const embeddings = all.map((each: unknown) => {
    const texts = arrayAt(memberOf(each, 'content'), 'parts').map((part) => textOf(memberOf(part, 'text')))
    const asked = numberOf(memberOf(each, 'outputDimensionality')) ?? dimensionsDefault
    tokens += tokensOf(texts.join(''))
    return { values: [...vectorOf(texts.join(''), Math.min(dimensionsMax, Math.max(1, asked)))] }
  })
  const usage = { usageMetadata: { promptTokenCount: tokens } }
  return Array.isArray(requests) ? { embeddings, ...usage } : { embedding: embeddings[0], ...usage }
}

const answers: Readonly<Record<string, (body: unknown, stamp: Stamp) => unknown>> = {
  '/embeddings': embeddings,
  '/moderations': moderations,
  '/count_tokens': countTokens,
  '/input_tokens': inputTokens,
  '/compact': compaction,
  ':embedContent': geminiEmbeddings,
  ':batchEmbedContents': geminiEmbeddings,
}

/** The answer to an operation that is no conversation; undefined for other paths. */
export function operationAnswer(path: string, body: Buffer, stamp: Stamp): unknown {
  const [place = ''] = path.split('?', 1)
  const last = place.slice(place.lastIndexOf('/'))
  const answer = answers[last] ?? answers[last.slice(Math.max(0, last.lastIndexOf(':')))]
  return answer?.(JSON.parse(body.toString('utf8')), stamp)
}
