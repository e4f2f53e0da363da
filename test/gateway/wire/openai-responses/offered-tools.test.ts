import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { connectionOf, memorySnapshot } from '../../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../../support/running-gateway.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../../support/scripted-upstream.ts'

const parameters = { type: 'object', properties: { id: { type: 'string' } } }
const find = { type: 'function', name: 'find', description: 'Finds one', parameters }
const draw = { type: 'custom', name: 'draw', description: 'Draws' }
const crm = { type: 'namespace', name: 'crm', description: 'Customers', tools: [find, draw] }
const search = { type: 'tool_search', execution: 'client', description: 'Looks for tools', parameters }
const question = { role: 'user', content: 'Find him' }

let upstream: ScriptedUpstream
let gateway: RunningGateway

/** Lets the upstream call a tool. */
function play(name: string, input: object): void {
  upstream.play((turn) =>
    turn.json(200, {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5',
      content: [{ type: 'tool_use', id: 'toolu_1', name, input }],
      stop_reason: 'tool_use',
      usage: { input_tokens: 10, output_tokens: 5 },
    }),
  )
}
async function ask(body: object): Promise<{ response: Response; output: unknown[] }> {
  const model = 'anthropic/claude-sonnet-4-5'
  const response = await gateway.send('/v1/responses', { model, store: false, ...body })
  const { output } = (await response.json()) as { output: unknown[] }
  return { response, output }
}
const toolNames = (): unknown =>
  (upstream.requests.at(-1)?.json.tools as { name: string }[] | undefined)?.map(({ name }) => name)

beforeAll(async () => {
  upstream = await startScriptedUpstream()
  gateway = await startGateway({
    snapshot: memorySnapshot({ connections: [connectionOf('anthropic', { baseUrl: upstream.url })] }),
  })
})
beforeEach(() => play('crm__find', { id: '7' }))
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

it('offers the tools of a namespace under one name each, and gives calls back under their own', async () => {
  const { response, output } = await ask({ input: [question], tools: [crm] })
  expect(toolNames()).toEqual(['crm__find', 'crm__draw'])
  expect(response.headers.get('x-signalbox-dropped')).toBe('tools[].description')
  const call = { type: 'function_call', call_id: 'toolu_1', namespace: 'crm', name: 'find' }
  expect(output).toMatchObject([{ ...call, arguments: '{"id":"7"}' }])
  expect((await gateway.lastRecord()).body.facts?.request.tools.names).toEqual(['crm__find', 'crm__draw'])
})

it('gives a custom tool of a namespace its free text', async () => {
  play('crm__draw', { input: 'a red pixel' })
  const { output } = await ask({ input: [question], tools: [crm] })
  const call = { type: 'custom_tool_call', call_id: 'toolu_1', namespace: 'crm', name: 'draw' }
  expect(output).toMatchObject([{ ...call, input: 'a red pixel' }])
})

it('knows a call of an earlier turn by the same name', async () => {
  const call = { type: 'function_call', call_id: 'c1', namespace: 'crm', name: 'find', arguments: '{}' }
  const result = { type: 'function_call_output', call_id: 'c1', output: 'found' }
  await ask({ input: [question, call, result], tools: [crm] })
  expect(upstream.requests.at(-1)?.json.messages).toMatchObject([
    { role: 'user' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'crm__find' }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1' }] },
  ])
})

it('offers tools that stand in the input', async () => {
  const { response } = await ask({
    input: [{ type: 'additional_tools', role: 'developer', tools: [{ ...crm, description: '' }] }, question],
  })
  expect(toolNames()).toEqual(['crm__find', 'crm__draw'])
  expect(upstream.requests.at(-1)?.json.messages).toHaveLength(1)
  expect(response.headers.get('x-signalbox-dropped')).toBeNull()
})

it('lets a model search for tools at the caller, and offers what was found', async () => {
  play('tool_search', { id: 'customers' })
  const { output } = await ask({ input: [question], tools: [search] })
  const searched = { type: 'tool_search_call', execution: 'client', call_id: 'toolu_1' }
  expect(output).toMatchObject([{ ...searched, arguments: { id: 'customers' } }])
  const found = { type: 'tool_search_output', execution: 'client', call_id: 'toolu_1', tools: [crm] }
  await ask({ input: [question, ...output, found], tools: [search] })
  expect(toolNames()).toEqual(['tool_search', 'crm__find', 'crm__draw'])
  expect(JSON.stringify(upstream.requests.at(-1)?.json.messages)).toContain('crm__draw')
})

it('streams calls of each kind whole', async () => {
  const model = 'anthropic/claude-sonnet-4-5'
  for (const [name, input, item] of [
    ['crm__find', '{"id":"7"}', '"type":"function_call"'],
    ['crm__draw', '{"input":"x"}', '"type":"custom_tool_call"'],
    ['tool_search', '{"id":"c"}', '"type":"tool_search_call"'],
  ] as const) {
    const event = (type: string, rest: object): string =>
      `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`
    const head = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content: [] }
    const usage = { input_tokens: 10, output_tokens: 1 }
    upstream.play((turn) => {
      turn.events(
        event('message_start', { message: { ...head, usage } }) +
          event('content_block_start', {
            index: 0,
            content_block: { type: 'tool_use', id: 'toolu_1', name, input: {} },
          }) +
          event('content_block_delta', {
            index: 0,
            delta: { type: 'input_json_delta', partial_json: input },
          }) +
          event('content_block_stop', { index: 0 }) +
          event('message_delta', { delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 5 } }) +
          event('message_stop', {}),
      )
      turn.response.end()
    })
    const body = { model, store: false, stream: true, input: [question], tools: [crm, search] }
    const text = await (await gateway.send('/v1/responses', body)).text()
    const done = text.split('\n\n').filter((each) => each.startsWith('event: response.output_item.done'))
    expect(done).toHaveLength(1)
    expect(done[0]).toContain(item)
    expect(text).toContain('event: response.completed')
  }
})
