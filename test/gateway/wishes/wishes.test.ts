import type { CallRecord } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { allow, connectionOf } from '../../support/memory-snapshot.ts'
import { answers, contentOf, primary, refuses, spare } from '../attempts/line.ts'
import { buildLine, question } from '../line.ts'

const line = buildLine(
  {},
  {
    aliases: { several: [primary, spare, 'closed/gpt-5.2'] },
    workspace: {
      metadata: { tags: { type: 'string' }, plan: { type: 'string' }, feature: { type: 'string' } },
      catalogue: { [spare]: { input: 0.5, output: 1 } },
    },
  },
)
interface Told {
  readonly response: Response
  readonly text: string
  readonly record: CallRecord
}
async function send(body: object, headers: Record<string, string> = {}): Promise<Told> {
  const count = line.gateway.records.length + 1
  const all = { model: primary, ...question, ...body }
  const response = await line.gateway.send('/v1/chat/completions', all, { headers })
  const text = await response.text()
  return { response, text, record: await line.gateway.lastRecord(count) }
}
const droppedOf = ({ response }: Told): string => response.headers.get('x-signalbox-dropped') ?? ''
const several = (provider: object) => ({ model: 'several', provider })
const orderOf = ({ record }: Told): string[] | undefined =>
  record.body.selection?.wished ?? record.body.selection?.order
const both = (): void => {
  line.upstream.play(answers('from the first'))
  line.spare.play(answers('from the spare'))
}

describe("Ofox's provider", () => {
  it.each([429, 503])('has a fallback that answers where the primary says %i', async (status) => {
    line.upstream.play(refuses(status))
    line.spare.play(answers('from the spare'))
    const told = await send({ provider: { routing: 'priority', fallback: [spare] } })
    expect([told.response.status, contentOf(told.text)]).toEqual([200, 'from the spare'])
    expect(told.record.body.facts?.request.model.targets).toEqual([primary, spare])
    for (const { json } of [line.upstream.requests.at(-1), line.spare.requests.at(-1)].flatMap(
      (each) => each ?? [],
    ))
      expect(json).not.toHaveProperty('provider')
    expect(droppedOf(told)).toBe('')
  })

  it('sorts by cost', async () => {
    both()
    expect(orderOf(await send(several({ routing: 'cost' })))?.[0]).toBe(spare)
  })
})

describe("OpenRouter's body", () => {
  it('names further models, which no provider hears of', async () => {
    line.upstream.play(refuses(500))
    line.spare.play(answers('from the spare'))
    const told = await send({ models: [spare, 'nobody/knows-this'] })
    expect(contentOf(told.text)).toBe('from the spare')
    expect(line.spare.requests.at(-1)?.json).not.toHaveProperty('models')
    expect(droppedOf(told)).toBe('models[1]')
  })

  it('names models alone, the first of which is asked for', async () => {
    line.upstream.play(refuses(500))
    line.spare.play(answers('from the spare'))
    const told = await send({ model: undefined, models: [primary, spare] })
    expect([told.response.status, contentOf(told.text), droppedOf(told)]).toEqual([200, 'from the spare', ''])
    expect(told.record.body.facts?.request.model.targets).toEqual([primary, spare])
    expect(line.upstream.requests.at(-1)?.json).not.toHaveProperty('models')
    const none = await send({ model: undefined, models: [] })
    expect([none.response.status, JSON.parse(none.text).error.param]).toEqual([400, 'model'])
  })

  it.each([
    ['google-vertex/us-east5', 'vertex'],
    ['Azure', 'azure-openai'],
    ['groq', 'groq'],
  ])('knows providers by the names that others have for them: %s', async (name, provider) => {
    both()
    line.gateway.snapshot = line.snapshotOf({
      connections: [
        connectionOf('openai', { baseUrl: `${line.upstream.url}/v1` }),
        // Its calls go nowhere: what is looked at is what is left.
        connectionOf('spare', { baseUrl: `${line.spare.url}/v1`, provider }),
      ],
      aliases: { several: [primary, spare] },
    })
    const told = await send(several({ ignore: [name] }))
    expect(orderOf(told)).toEqual([primary])
  })

  it.each<[string, object, string[]]>([
    ['order', { order: ['spare'] }, [spare, primary, 'closed/gpt-5.2']],
    ['only', { only: ['spare'] }, [spare]],
    ['ignore', { ignore: ['openai/us-east5', 'closed'] }, []],
    ['allow_fallbacks', { allow_fallbacks: false }, [primary]],
    [
      'order alone',
      { order: ['nowhere', 'spare', 'closed'], allow_fallbacks: false },
      [spare, 'closed/gpt-5.2'],
    ],
    ['order of strangers alone', { order: ['nowhere'], allow_fallbacks: false }, [primary]],
    ['sort', { sort: 'price' }, [spare, primary, 'closed/gpt-5.2']],
    ['sort by', { sort: { by: 'price', partition: 'none' } }, [spare, primary, 'closed/gpt-5.2']],
    ['max_price', { max_price: { prompt: 0.6, completion: 1 } }, [spare]],
    ['data_collection', { data_collection: 'deny' }, [primary, spare, 'closed/gpt-5.2']],
  ])('narrows and orders: %s', async (name, provider, expected) => {
    both()
    const told = await send(several(provider))
    if (expected.length === 0) {
      // All three are of the provider openai.
      expect([name, told.response.status]).toEqual(['ignore', 403])
      return
    }
    expect(orderOf(told)).toEqual(expected)
    expect(contentOf(told.text)).toBe(expected[0] === spare ? 'from the spare' : 'from the first')
  })

  it('is refused where nothing is left that keeps what it asks for', async () => {
    const told = await send(several({ zdr: true }))
    expect(told.response.status).toBe(403)
    expect(JSON.parse(told.text).error).toMatchObject({ code: 'no_eligible_model', param: 'provider' })
  })

  it('refuses what would be lost where all parameters are required', async () => {
    line.upstream.play(answers('never asked'))
    const strict = { model: 'anthropic/claude-sonnet-4-5', logit_bias: { 5: 1 }, max_tokens: 9 }
    const told = await send({ ...strict, provider: { require_parameters: true } })
    expect(told.response.status).toBe(400)
    expect(told.text).toContain('logit_bias')
  })

  it('says what of it nobody grants', async () => {
    both()
    const told = await send(several({ quantizations: ['fp8'], max_price: { request: 1 } }))
    expect(droppedOf(told)).toBe('provider.max_price.request, provider.quantizations')
  })

  it.each<[object, string]>([
    [{ provider: { only: 'openai' } }, 'provider.only'],
    [{ provider: { sort: 'luck' } }, 'provider.sort'],
    [{ provider: { allow_fallbacks: 'no' } }, 'provider.allow_fallbacks'],
    [{ provider: { data_collection: 'maybe' } }, 'provider.data_collection'],
    [{ models: 'a' }, 'models'],
    [{ fallbacks: [5] }, 'fallbacks[0]'],
  ])('of the wrong form is refused: %j', async (body, param) => {
    const told = await send(body)
    expect([told.response.status, JSON.parse(told.text).error.param]).toEqual([400, param])
  })
})

it("LiteLLM's fallbacks and tags", async () => {
  line.upstream.play(refuses(500))
  line.spare.play(answers('from the spare'))
  const told = await send({ fallbacks: [spare], metadata: { tags: ['batch', 'night'] } })
  expect(contentOf(told.text)).toBe('from the spare')
  expect(told.record.row.metadata).toEqual({ tags: 'batch,night' })
})

it("Anthropic's fallbacks, in its own dialect", async () => {
  line.upstream.play(refuses(529))
  line.spare.play(answers('from the spare'))
  const body = {
    model: 'anthropic/claude-sonnet-4-5',
    max_tokens: 9,
    fallbacks: [{ model: spare }],
    ...question,
  }
  const response = await line.gateway.send('/v1/messages', body)
  expect(await response.text()).toContain('from the spare')
})

describe('headers of other gateways', () => {
  it('are metadata, user and session, and ours stand above them', async () => {
    both()
    const { record } = await send(
      {},
      {
        'x-portkey-metadata': JSON.stringify({ plan: 'free', _user: 'u1' }),
        'cf-aig-metadata': JSON.stringify({ feature: 'search' }),
        'Helicone-Property-Plan': 'paid',
        'Helicone-User-Id': 'user-7',
        'Helicone-Session-Id': 'session-9',
        'x-signalbox-metadata': JSON.stringify({ feature: 'ranking' }),
      },
    )
    expect(record.row.metadata).toEqual({ feature: 'ranking', plan: 'paid' })
    expect(record.body.facts?.subject.userId).toBe('user-7')
    expect(record.body.facts?.session).toEqual({ id: 'session-9' })
    expect(record.body.undeclaredMetadata).toEqual(['user'])
  })

  it('choose a provider among those that the policies leave', async () => {
    both()
    const told = await send({ model: 'several' }, { 'x-portkey-provider': '@spare' })
    expect(orderOf(told)).toEqual([spare])
    const refused = await send({ model: 'several' }, { 'x-portkey-provider': '@somebody' })
    expect(refused.response.status).toBe(403)
  })

  it('that nobody grants are named, and none is forwarded', async () => {
    both()
    const told = await send({}, { 'x-portkey-config': 'pc-kept-elsewhere', 'cf-aig-cache-key': 'a' })
    expect(droppedOf(told).split(', ').sort()).toEqual(['cf-aig-cache-key', 'x-portkey-config'])
    const { headers } = line.upstream.requests.at(-1) ?? { headers: {} }
    expect(Object.keys(headers).filter((name) => /portkey|helicone|cf-aig/.test(name))).toEqual([])
  })
})

it('never reach beyond what the policies chose', async () => {
  line.gateway.snapshot = line.snapshotOf({ decide: () => allow({ target: primary }) })
  both()
  const told = await send({ models: [spare], provider: { order: ['spare'] } })
  expect(contentOf(told.text)).toBe('from the first')
  expect(droppedOf(told)).toBe('models[0]')
  const asked = await send({ provider: { only: ['spare'] } })
  expect(asked.response.status).toBe(403)
})

describe("Portkey's config", () => {
  const config = (value: unknown) => ({ 'x-portkey-config': JSON.stringify(value) })
  const target = (provider: string, model: string, rest: object = {}) => ({
    provider: `@${provider}`,
    override_params: { model },
    ...rest,
  })
  const first = target('openai', 'gpt-5.2', { name: 'first' })
  const second = target('spare', 'gpt-5-mini', { name: 'second' })
  const shared = (strategy: object, ...targets: object[]) => config({ strategy, targets })
  const answeredBy = async (headers: Record<string, string>, body: object = {}) => {
    both()
    const told = await send(body, headers)
    return [told.response.headers.get('x-signalbox-target'), orderOf(told), droppedOf(told)]
  }

  it('with fallback is a list of models that are tried in order, which policies see', async () => {
    line.upstream.play(refuses(503))
    line.spare.play(answers('from the spare'))
    const told = await send({}, shared({ mode: 'fallback' }, first, second))
    expect(contentOf(told.text)).toBe('from the spare')
    expect(told.record.body.facts?.request.model.targets).toEqual([primary, spare])
    expect(droppedOf(told)).toBe('')
  })

  it('with one target, or a share that is drawn, asks that alone', async () => {
    expect(
      await answeredBy(config({ provider: '@spare', override_params: { model: 'gpt-5-mini' } })),
    ).toEqual([spare, [spare], ''])
    const weighted = [
      { ...first, weight: 0 },
      { ...second, weight: 1 },
    ]
    expect((await answeredBy(shared({ mode: 'loadbalance' }, ...weighted)))[1]).toEqual([spare])
  })

  it('with conditions on metadata and params goes where they say, one strategy in the other', async () => {
    const strategy = {
      mode: 'conditional',
      conditions: [
        {
          query: { $and: [{ 'metadata.plan': { $in: ['paid'] } }, { 'params.n': { $lt: 2 } }] },
          then: 'both',
        },
      ],
      default: 'second',
    }
    const nested = { name: 'both', strategy: { mode: 'fallback' }, targets: [first, second] }
    const headers = shared(strategy, nested, second)
    expect((await answeredBy(headers, { n: 1, metadata: { plan: 'paid' } }))[1]).toEqual([primary, spare])
    expect((await answeredBy(headers, { n: 1, metadata: { plan: 'free' } }))[1]).toEqual([spare])
  })

  it('names what is not granted, and keeps to what policies leave', async () => {
    const strategy = { mode: 'fallback', on_status_codes: [429] }
    const told = await answeredBy(config({ strategy, targets: [first], retry: { attempts: 3 } }))
    expect(told[2]).toBe('x-portkey-config.retry, x-portkey-config.strategy.on_status_codes')
    expect((await answeredBy({ 'x-portkey-config': 'pc-my-config-12' }))[2]).toBe('x-portkey-config')
    line.gateway.snapshot = line.snapshotOf({ decide: () => allow({ target: primary }) })
    expect((await answeredBy(config({ provider: '@spare' })))[0]).toBe(primary)
  })

  it.each([
    ['{', 'is not valid JSON'],
    ['{"strategy":{"mode":"best"},"targets":[{}]}', 'unknown strategy.mode'],
    ['{"strategy":{"mode":"conditional","conditions":[],"default":"x"},"targets":[{}]}', 'names no target'],
    [
      '{"strategy":{"mode":"conditional","conditions":[{"query":{"url":"x"},"then":"a"}]},"targets":[{"name":"a"}]}',
      'neither metadata nor params',
    ],
  ])('%s is refused', async (value, said) => {
    const { response, text } = await send({}, { 'x-portkey-config': value })
    expect([response.status, text]).toEqual([400, expect.stringContaining(said)])
  })
})
