import { hosts, Refusal } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import type { Call, WireFormat } from '../../../gateway/call.ts'
import type { Dialect, RequestHead } from '../../../gateway/dialect.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as gemini } from '../../../gateway/dialects/gemini.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import { dialect as responses } from '../../../gateway/dialects/openai-responses.ts'
import { hostTraits } from '../../../gateway/host-quirks.ts'
import { loadProviders } from '../../../gateway/load-providers.ts'
import type { EncodeOptions, FrameReading, Provider } from '../../../gateway/provider.ts'
import { SseSplitter } from '../../../gateway/wire/sse.ts'
import { assemble, decodeStream } from '../wire/assembled.ts'
import { eventStreamBytes } from '../wire/event-stream-bytes.ts'
import { fixtureIds, pluginIds, type Situation, situations } from './fixture-folder.ts'

interface CallFixture {
  readonly dialect: string
  /** Path and query of the call, for dialects that say something there. */
  readonly url?: string
  /** The format in which the upstream is asked, where it is not its first. */
  readonly upstream?: WireFormat
  readonly body?: Record<string, unknown>
  /** The body as text, where its bytes matter. */
  readonly rawBody?: string
  readonly options: EncodeOptions
}
const dialects: Readonly<Record<string, Dialect>> = {
  'openai-chat': chat,
  'openai-responses': responses,
  'anthropic-messages': messages,
  gemini,
}

const headOf = (url: string | undefined): RequestHead => ({ method: 'POST', url: url ?? '', headers: {} })

function asked(provider: Provider, situation: Situation): Provider {
  const { upstream } = situation.json('call.json') as CallFixture
  const other = upstream === undefined ? provider : provider.otherFormats?.[upstream]
  if (other === undefined) throw new Error(`${situation.name}: ${provider.id} does not speak ${upstream}`)
  return other
}

function callOf(situation: Situation): { call: Call; options: EncodeOptions } {
  const fixture = situation.json('call.json') as CallFixture
  const raw = Buffer.from(fixture.rawBody ?? JSON.stringify(fixture.body))
  const dialect = dialects[fixture.dialect]
  if (dialect === undefined) throw new Error(`${situation.name}: no dialect ${fixture.dialect}`)
  return {
    call: dialect.decodeRequest(raw, JSON.parse(raw.toString()), 'chat', headOf(fixture.url)),
    options: fixture.options,
  }
}

function encode(provider: Provider, situation: Situation): unknown {
  const { call, options } = callOf(situation)
  try {
    const { body, ...request } = provider.encodeRequest(call, options)
    // A body that passes is compared by its text, one that is made here by what it says.
    const text = body.toString('utf8')
    return { ...request, ...(request.identity ? { bodyText: text } : { body: JSON.parse(text) }) }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { refusal: { code: error.code, param: error.param, message: error.message } }
  }
}

function read(provider: Provider, pieces: readonly Buffer[]) {
  const splitter = new SseSplitter()
  const reader = provider.createReader({ addedUsage: true })
  let last: Partial<FrameReading> = {}
  let withheld = 0
  let textBytes = 0
  let bytes = 0
  let cut = false
  const frames = pieces.flatMap((piece) => splitter.push(piece))
  const rest = splitter.end()
  if (rest !== undefined) frames.push(rest)
  for (const frame of frames) {
    bytes += frame.bytes.length
    try {
      const reading = reader.read(frame)
      last = { ...last, ...reading }
      textBytes += reading.textBytes
      if (reading.withhold) withheld++
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      cut = true
    }
  }
  const { withhold: _withhold, ...reading } = last
  return { bytes, ...reading, textBytes, withheld, cut, ...reader.finish() }
}

/** Formats that no client speaks: their streams are translated, never passed. */
const speaksOfItsOwn = ({ format }: Provider): boolean => format === 'cohere-chat'

function checkTranslated(provider: Provider, situation: Situation, stream: Buffer): void {
  const decode = (pieces: readonly Buffer[]) =>
    decodeStream(provider.createDecoder(), pieces, provider.createSplitter?.())
  const whole = decode([stream])
  situation.expectJson('deltas.json', whole)
  expect(() => assemble(whole.deltas)).not.toThrow()
  for (let cut = 1; cut < stream.length; cut++) {
    const pieces = [stream.subarray(0, cut), stream.subarray(cut)]
    expect(decode(pieces), `${situation.name} cut at ${cut}`).toEqual(whole)
  }
}

function checkStream(provider: Provider, situation: Situation, stream: Buffer): void {
  const whole = decodeStream(provider.createDecoder(), [stream])
  const reading = read(provider, [stream])
  expect(reading.bytes).toBe(stream.length)
  situation.expectJson('deltas.json', { ...whole, reading: { ...reading, bytes: undefined } })
  expect(() => assemble(whole.deltas)).not.toThrow()
  for (let cut = 1; cut < stream.length; cut++) {
    const pieces = [stream.subarray(0, cut), stream.subarray(cut)]
    expect(decodeStream(provider.createDecoder(), pieces), `${situation.name} cut at ${cut}`).toEqual(whole)
    expect(read(provider, pieces), `${situation.name} cut at ${cut}`).toEqual(reading)
  }
}

const providers = await loadProviders()

function providerOf(id: string): Provider {
  const provider = providers.get(id)
  if (provider === undefined) throw new Error(`fixtures of a provider that is not there: ${id}`)
  return provider
}

describe('providers', () => {
  it('have fixtures, each of those with a file or with traits of its own', () => {
    const own = [...pluginIds('providers'), ...Object.keys(hostTraits)].sort()
    expect(fixtureIds('providers')).toEqual(own)
  })

  it('are at least 14 that are tested and at least 100 that are listed', () => {
    const tested = fixtureIds('providers').filter((id) => providers.has(id)).length
    const listed = providers.size - tested
    process.stdout.write(`providers: ${tested} tested, ${listed} listed\n`)
    expect(tested).toBeGreaterThanOrEqual(14)
    expect(listed).toBeGreaterThanOrEqual(100)
  })

  it('are asked at an address of their own, each host', () => {
    for (const { id, baseUrl } of hosts.values()) {
      expect(URL.canParse(baseUrl), id).toBe(true)
      expect(baseUrl, id).not.toMatch(/\/$|\$|chat\/completions/)
      expect(/^https:|^http:\/\/127\.0\.0\.1:/.test(baseUrl), id).toBe(true)
    }
  })

  for (const id of fixtureIds('providers')) {
    describe(id, () => {
      const plugin = providerOf(id)

      it('has the name of its row or file', () => {
        expect(plugin.id).toBe(id)
      })

      it.each(
        situations('providers', id).map((situation) => [situation.name, situation] as const),
      )('%s', (_name, situation) => {
        const provider = asked(plugin, situation)
        situation.expectJson('request.json', encode(provider, situation))
        const response = situation.text('response.json')
        if (response !== undefined) {
          const json: unknown = JSON.parse(response.toString())
          const reply = provider.decodeReply(json, response)
          situation.expectJson('reply.json', reply)
          expect(provider.readUsage(json) ?? {}).toEqual(reply.usage)
        }
        const error = situation.json('error.json') as { status: number; body: unknown } | undefined
        if (error) situation.expectJson('failure.json', provider.classifyFailure(error.status, error.body))
        const stream = situation.text('stream.sse')
        if (stream !== undefined) {
          if (speaksOfItsOwn(provider)) checkTranslated(provider, situation, stream)
          else checkStream(provider, situation, stream)
        }
        const events = situation.text('events.ndjson')
        if (events !== undefined) checkTranslated(provider, situation, eventStreamBytes(events.toString()))
      })
    })
  }
})
