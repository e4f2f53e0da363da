import Anthropic from '@anthropic-ai/sdk'
import {
  ask,
  type ClientTarget,
  caught,
  collect,
  pixel,
  reportSchema,
  type ScenarioResults,
} from './scenarios.ts'

const head = { model: 'claude-opus-4-8', max_tokens: 4000 }
const says = (content: string): Anthropic.MessageParam[] => [{ role: 'user', content }]

/** The official Anthropic client. */
export async function runAnthropic(target: ClientTarget): Promise<ScenarioResults> {
  const { messages } = new Anthropic({ baseURL: target.url, apiKey: target.key, maxRetries: 0 })
  const input_schema = {
    type: 'object' as const,
    properties: { city: { type: 'string' } },
    required: ['city'],
  }
  const tools: Anthropic.Tool[] = [{ name: 'get_weather', input_schema }]
  const called = await messages.create({ ...head, messages: says(ask.tool), tools })
  const use = called.content.find((block) => block.type === 'tool_use')
  if (use?.type !== 'tool_use') throw new Error('no call')
  const loop: Anthropic.MessageParam[] = [
    ...says(ask.tool),
    { role: 'assistant', content: called.content },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'rain' }] },
  ]
  const picture: Anthropic.ContentBlockParam[] = [
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } },
    { type: 'text', text: ask.image },
  ]
  const schema = { type: 'json_schema', schema: { ...reportSchema } } as const
  const thinking = { type: 'enabled', budget_tokens: 1024 } as const
  return {
    plain: await messages.create({ ...head, messages: says(ask.plain) }),
    stream: await collect(await messages.create({ ...head, messages: says(ask.plain), stream: true })),
    helper: await messages.stream({ ...head, messages: says(ask.plain) }).finalMessage(),
    called,
    toolStream: await collect(
      await messages.create({ ...head, messages: says(ask.tool), tools, stream: true }),
    ),
    toolLoop: await messages.create({ ...head, messages: loop, tools }),
    output: await messages.create({
      ...head,
      messages: says(ask.output),
      output_config: { format: schema },
    }),
    image: await messages.create({ ...head, messages: [{ role: 'user', content: picture }] }),
    thinking: await messages.create({ ...head, messages: says(ask.thinking), thinking }),
    thinkingStream: await collect(
      await messages.create({ ...head, messages: says(ask.thinking), thinking, stream: true }),
    ),
    error: await caught(messages.create({ ...head, messages: says(ask.error) })),
  }
}
