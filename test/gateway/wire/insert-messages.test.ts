import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { insertMessagesTurns } from '../../../gateway/wire/anthropic-messages/insert-messages.ts'
import { insertContents } from '../../../gateway/wire/gemini/insert-messages.ts'
import { insertChatMessages } from '../../../gateway/wire/openai-chat/insert-messages.ts'
import { insertResponsesItems } from '../../../gateway/wire/openai-responses/insert-messages.ts'

const role = fc.constantFrom('system' as const, 'user' as const, 'assistant' as const)
const text = fc.string({ unit: 'binary', maxLength: 20 })
const prompt = fc.array(fc.record({ role, text }), { minLength: 1, maxLength: 4 })
const own = fc.array(
  fc.record({
    role: fc.constantFrom('system', 'developer', 'user', 'assistant'),
    content: text,
    extra: fc.jsonValue(),
  }),
  { maxLength: 5 },
)
const blanks = fc.constantFrom(undefined, 1, 3)
const isSystem = (each: { role: string }) => each.role === 'system' || each.role === 'developer'
const asMessages = (messages: readonly { role: string; text: string }[]) =>
  messages.map((each) => ({ role: each.role, content: each.text }))

describe('messages of a prompt', () => {
  it('go into a chat completion around the leading system messages, and change nothing else', () => {
    fc.assert(
      fc.property(
        prompt,
        own,
        fc.dictionary(fc.string(), fc.jsonValue()),
        blanks,
        (given, messages, rest, space) => {
          const { messages: _, ...others } = rest
          const body = { model: 'm', ...others, messages }
          const out = insertChatMessages(Buffer.from(JSON.stringify(body, null, space)), given)
          const conversation = messages.findIndex((each) => !isSystem(each))
          const count = conversation === -1 ? messages.length : conversation
          expect(JSON.parse(out.toString())).toEqual(
            JSON.parse(
              JSON.stringify({
                ...body,
                messages: [
                  ...asMessages(given.filter(isSystem)),
                  ...messages.slice(0, count),
                  ...asMessages(given.filter((each) => !isSystem(each))),
                  ...messages.slice(count),
                ],
              }),
            ),
          )
        },
      ),
      { numRuns: 200 },
    )
  })

  it('go into Messages before the system blocks and before the first turn, and change nothing else', () => {
    const block = fc.record({
      type: fc.constant('text'),
      text,
      cache_control: fc.constant({ type: 'ephemeral' }),
    })
    const system = fc.option(fc.oneof(text, fc.array(block, { maxLength: 3 })), { nil: undefined })
    fc.assert(
      fc.property(prompt, own, system, blanks, (given, messages, before, space) => {
        const body = { model: 'm', max_tokens: 5, ...(before !== undefined && { system: before }), messages }
        const out = insertMessagesTurns(Buffer.from(JSON.stringify(body, null, space)), given)
        const systems = given.filter(isSystem).map((each) => ({ type: 'text', text: each.text }))
        const kept = Array.isArray(before) ? before : before ? [{ type: 'text', text: before }] : []
        const turns = asMessages(given.filter((each) => !isSystem(each)))
        expect(JSON.parse(out.toString())).toEqual(
          JSON.parse(
            JSON.stringify({
              ...body,
              ...(systems.length > 0 && { system: [...systems, ...kept] }),
              messages: [...turns, ...messages],
            }),
          ),
        )
      }),
      { numRuns: 200 },
    )
  })

  it('go into Responses before the instructions and before the first item, and change nothing else', () => {
    const input = fc.oneof(
      text,
      fc.array(fc.record({ role: fc.constant('user'), content: text }), { maxLength: 3 }),
    )
    const instructions = fc.option(text, { nil: undefined })
    fc.assert(
      fc.property(prompt, input, instructions, blanks, (given, said, before, space) => {
        const body = { model: 'm', ...(before !== undefined && { instructions: before }), input: said }
        const out = insertResponsesItems(Buffer.from(JSON.stringify(body, null, space)), given)
        const systems = given.filter(isSystem).map((each) => each.text)
        const others = asMessages(given.filter((each) => !isSystem(each)))
        const items = typeof said === 'string' ? [{ role: 'user', content: said }] : said
        const wanted = {
          ...body,
          ...(systems.length > 0 && { instructions: [...systems, ...(before ? [before] : [])].join('\n\n') }),
          ...(others.length > 0 && { input: [...others, ...items] }),
        }
        expect(JSON.parse(out.toString())).toEqual(JSON.parse(JSON.stringify(wanted)))
      }),
      { numRuns: 200 },
    )
  })

  it('go into Gemini before the parts of the system instruction and before the first content', () => {
    const parts = fc.array(fc.record({ text }), { maxLength: 3 })
    const contents = fc.array(fc.record({ role: fc.constantFrom('user', 'model'), parts }), { maxLength: 3 })
    const name = fc.constantFrom('systemInstruction', 'system_instruction')
    fc.assert(
      fc.property(
        prompt,
        contents,
        fc.option(parts, { nil: undefined }),
        name,
        (given, said, before, member) => {
          const body = {
            ...(before !== undefined && { [member]: { parts: before } }),
            contents: said,
            tools: [],
          }
          const out = insertContents(Buffer.from(JSON.stringify(body)), given)
          const systems = given.filter(isSystem).map((each) => ({ text: each.text }))
          const turns = given
            .filter((each) => !isSystem(each))
            .map((each) => ({
              role: each.role === 'assistant' ? 'model' : 'user',
              parts: [{ text: each.text }],
            }))
          const own = before === undefined ? 'systemInstruction' : member
          const wanted = {
            ...body,
            ...(systems.length > 0 && { [own]: { parts: [...systems, ...(before ?? [])] } }),
            contents: [...turns, ...said],
          }
          expect(JSON.parse(out.toString())).toEqual(JSON.parse(JSON.stringify(wanted)))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('leave numbers that JavaScript cannot hold as they are written', () => {
    const raw = Buffer.from(
      '{"seed":12345678901234567890,"messages":[{"role":"user","content":"x","n":1.0e2}]}',
    )
    expect(insertChatMessages(raw, [{ role: 'system', text: 'S' }]).toString()).toBe(
      '{"seed":12345678901234567890,"messages":[{"role":"system","content":"S"},{"role":"user","content":"x","n":1.0e2}]}',
    )
  })
})
