import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { WireFormat } from '../../../gateway/call.ts'
import { recordingsFolder } from '../../support/needs.ts'

/** A recorded exchange of one of the wire formats. */
export interface Exchange {
  readonly name: string
  readonly source: string
  readonly format: WireFormat
  readonly path: string
  readonly request: string
  readonly status: number
  readonly isStream: boolean
  readonly body: Buffer
}
interface Line {
  id: string
  method: string
  path: string
  request: { body: string }
  response: { status: number; headers: Record<string, unknown>; body: string }
}

export const chatSources = [
  'openai',
  'deepseek',
  'groq',
  'mistral',
  'openrouter',
  'llamacpp',
  'perplexity',
  'xai',
]
export const responsesSources = ['openai', 'xai', 'openrouter', 'llamacpp']
export const messagesSources = ['anthropic', 'openrouter']

function formatOf(path: string): WireFormat | undefined {
  const bare = path.split('?')[0] ?? ''
  if (bare.endsWith('/chat/completions')) return 'openai-chat'
  if (bare.endsWith('/responses')) return 'openai-responses'
  if (/:(?:g|streamG)enerateContent$/.test(bare)) return 'gemini'
  return bare.endsWith('/messages') ? 'anthropic-messages' : undefined
}

/** All exchanges of a format, of the given recordings. */
export function loadExchanges(format: WireFormat, sources: readonly string[]): Exchange[] {
  return sources.flatMap((source) => {
    const text = gunzipSync(readFileSync(join(recordingsFolder, `${source}.jsonl.gz`))).toString('utf8')
    return text
      .trim()
      .split('\n')
      .map((line): Line => JSON.parse(line))
      .filter((line) => line.method === 'POST' && formatOf(line.path) === format)
      .map((line) => ({
        name: `${source} ${line.id}`,
        source,
        format,
        path: line.path,
        request: line.request.body,
        status: line.response.status,
        isStream: String(line.response.headers['content-type']).includes('event-stream'),
        body: Buffer.from(line.response.body),
      }))
  })
}

/** A generator of numbers that is the same on every run. */
export function createDice(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** The bytes in up to `count` pieces, cut anywhere. */
export function cutAnywhere(bytes: Buffer, count: number, dice: (below: number) => number): Buffer[] {
  const cuts = Array.from({ length: count - 1 }, () => dice(bytes.length + 1)).sort((a, b) => a - b)
  const ends = [...cuts, bytes.length]
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
}

/** The JSON of every `data:` line, the plainest way there is; for oracles. */
export function plainEvents(body: Buffer): Record<string, unknown>[] {
  return body
    .toString('utf8')
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:') && line.slice(5).trim().startsWith('{'))
    .map((line) => JSON.parse(line.slice(5)))
}
