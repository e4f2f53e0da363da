import { Refusal } from '@signalbox/sdk/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import { dialect as responses } from '../../../gateway/dialects/openai-responses.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { SseFrame } from '../../../gateway/wire/sse.ts'
import { fixtureIds, situations } from '../conformance/fixture-folder.ts'

type Json = Record<string, unknown>
const providers = [openai, compatible, anthropic, ...Object.values(openai.otherFormats ?? {})]

/** Every JSON document of the fixtures that has the given file. */
function documents(file: string): unknown[] {
  return fixtureIds('providers').flatMap((id) =>
    situations('providers', id).flatMap((situation) => situation.json(file) ?? []),
  )
}
function events(): unknown[] {
  return fixtureIds('providers').flatMap((id) =>
    situations('providers', id).flatMap((situation) =>
      (situation.text('stream.sse')?.toString('utf8') ?? '')
        .split('\n')
        .filter((line) => line.startsWith('data: {') && line.trim().endsWith('}'))
        .map((line) => JSON.parse(line.slice(6))),
    ),
  )
}

/** The document with one value somewhere in it replaced; `at` chooses which. */
function damage(document: unknown, at: number, value: unknown): unknown {
  const places: [Json, string][] = []
  const copy: unknown = structuredClone(document)
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const key of Object.keys(node)) {
      places.push([node as Json, key])
      visit((node as Json)[key])
    }
  }
  visit(copy)
  const place = places[at % Math.max(places.length, 1)]
  if (place === undefined) return value
  if (value === undefined) delete place[0][place[1]]
  else place[0][place[1]] = value
  return copy
}

const junk = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    '',
    0,
    -1,
    1.5,
    true,
    [],
    {},
    [null],
    [[]],
    { type: 'text' },
    'null',
    '__proto__',
  ),
  fc.jsonValue(),
)
/** Runs what may refuse, and may do nothing else. */
function mayRefuse(act: () => unknown): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
}

describe('damaged documents', () => {
  const bodies = documents('call.json').map((fixture) => (fixture as { body?: Json }).body ?? {})
  const replies = documents('response.json')
  const streamed = events()

  it('are refused or carried as requests, never a crash', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...bodies),
        fc.array(fc.tuple(fc.nat(), junk), { maxLength: 3 }),
        (body, edits) => {
          const damaged = edits.reduce<unknown>((document, [at, value]) => damage(document, at, value), body)
          const raw = Buffer.from(JSON.stringify(damaged) ?? 'null')
          const json = JSON.parse(raw.toString())
          if (typeof json !== 'object' || json === null) return
          for (const dialect of [chat, responses, messages]) {
            mayRefuse(() => {
              const call = dialect.decodeRequest(raw, json, 'chat')
              for (const provider of providers) {
                for (const fidelity of ['lossy', 'warn'] as const) {
                  const patch = { reasoningLevel: 'low', temperaturePpm: 1 } as const
                  const options = {
                    model: 'claude-sonnet-4-5',
                    caps: { maxOutputTokens: 5 },
                    headers: {},
                    fidelity,
                    patch,
                  }
                  mayRefuse(() => JSON.parse(provider.encodeRequest(call, options).body.toString()))
                }
              }
            })
          }
        },
      ),
      { numRuns: 400 },
    )
  })

  it('are refused or carried as answers, never a crash', () => {
    const call = chat.decodeRequest(Buffer.from('{}'), { model: 'm', messages: [{ role: 'user' }] }, 'chat')
    fc.assert(
      fc.property(fc.constantFrom(...replies), fc.nat(), junk, (reply, at, value) => {
        const damaged = damage(reply, at, value)
        for (const provider of providers) {
          mayRefuse(() => {
            const decoded = provider.decodeReply(damaged)
            for (const dialect of [chat, responses, messages])
              JSON.stringify(dialect.encodeReply(decoded, call, 0).body)
          })
          provider.readUsage(damaged)
          provider.classifyFailure(400, damaged)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('pass or end a stream, never a crash, and leave its blocks in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...streamed), fc.nat(), junk, fc.boolean()), { maxLength: 12 }),
        (steps) => {
          for (const provider of providers) {
            const decoder = provider.createDecoder()
            const reader = provider.createReader({ addedUsage: true })
            let open: number | undefined
            for (const [event, at, value, isWhole] of steps) {
              const data = JSON.stringify(isWhole ? event : damage(event, at, value)) ?? 'nonsense'
              const frame = new SseFrame(Buffer.from(`data: ${data}\n\n`))
              reader.read(frame)
              for (const delta of decoder.push(frame)) {
                if (delta.type === 'blockStart') {
                  expect(open).toBeUndefined()
                  open = delta.index
                }
                if (delta.type === 'blockDelta') expect(delta.index).toBe(open)
                if (delta.type === 'blockEnd') open = undefined
              }
            }
            decoder.finish()
            reader.finish()
          }
        },
      ),
      { numRuns: 400 },
    )
  })
})

describe('bodies that are nested very deeply', () => {
  const deep = (open: string, inner: string, close: string) =>
    open.repeat(100_000) + inner + close.repeat(100_000)
  const user = '"messages":[{"role":"user","content":"x"}]'
  const result = '[{"type":"tool_result","tool_use_id":"t","content":'
  const use = '{"type":"tool_use","id":"t","name":"f","input":'
  const members: Readonly<Record<string, string>> = {
    arguments: `"messages":[{"role":"assistant","content":[${use}${deep('{"a":', '1', '}')}}]}]`,
    results: `"messages":[{"role":"user","content":${deep(result, '"x"', '}]')}}]`,
    content: `"messages":[{"role":"user","content":${deep('[', '', ']')}}]`,
    items: `"input":[{"role":"user","content":${deep('[', '', ']')}}]`,
    'tools of Responses': `"input":"x","tools":[{"type":"function","name":"f","strict":true,"parameters":${deep('{"items":', '{}', '}')}}]`,
    'tools of Messages': `${user},"tools":[{"name":"f","strict":true,"input_schema":${deep('{"items":', '{}', '}')}}]`,
    'tools of chat': `${user},"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":${deep('{"items":', '{}', '}')}}}]`,
  }

  it.each(Object.keys(members))('are refused or carried: %s', (name) => {
    for (const number of ['1', '12345678901234567890']) {
      const text = `{"model":"m","max_tokens":9,"seed":${number},${members[name]}}`
      const json: Json = JSON.parse(text)
      for (const dialect of [chat, responses, messages]) {
        mayRefuse(() => {
          const call = dialect.decodeRequest(Buffer.from(text), json, 'chat')
          for (const provider of providers) {
            const options = { model: 'claude-sonnet-4-6', caps: {}, headers: {}, fidelity: 'lossy' } as const
            mayRefuse(() => provider.encodeRequest(call, options))
          }
        })
      }
    }
  })
})
