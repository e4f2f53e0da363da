import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import type { Provider } from '../../../gateway/provider.ts'
import { provider as bedrock } from '../../../gateway/providers/bedrock.ts'
import { provider as cohere } from '../../../gateway/providers/cohere.ts'
import { describeWith, recordingsFolder } from '../../support/needs.ts'
import { assemble, decodeStream } from './assembled.ts'

interface Line {
  readonly id: string
  readonly path: string
  readonly response: {
    readonly status: number
    readonly headers: { 'content-type'?: string }
    readonly body: string
  }
}

function load(provider: Provider, path: RegExp): Line[] {
  const text = gunzipSync(readFileSync(join(recordingsFolder, `${provider.id}.jsonl.gz`))).toString('utf8')
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line): Line => JSON.parse(line)).filter((line) => path.test(line.path))
}

describeWith('recordings', 'recorded answers of clouds with formats of their own', () => {
  it.each([
    [bedrock, /\/converse(-stream)?$/],
    [cohere, /\/v2\/chat$/],
  ] as const)('are read whole: $id', (provider, path) => {
    const lines = load(provider, path)
    expect(lines.length).toBeGreaterThan(20)
    for (const { id, response } of lines) {
      const { status, headers, body } = response
      const type = headers['content-type'] ?? ''
      if (status >= 400) {
        expect(provider.classifyFailure(status, JSON.parse(body)).message, id).toBeTruthy()
      } else if (type.includes('stream')) {
        const bytes = Buffer.from(body, type.includes('amazon') ? 'base64' : 'utf8')
        const { deltas, complete } = decodeStream(
          provider.createDecoder(),
          [bytes],
          provider.createSplitter?.(),
        )
        const reply = assemble(deltas)
        expect(complete, id).toBe(true)
        expect(reply.usage.output, id).toBeDefined()
        expect(reply.finish, id).not.toBe('other')
      } else {
        const reply = provider.decodeReply(JSON.parse(body), Buffer.from(body))
        expect(reply.usage, id).toEqual(provider.readUsage(JSON.parse(body)))
        expect(reply.usage.output, id).toBeDefined()
        expect(reply.finish, id).not.toBe('other')
      }
    }
  })
})
