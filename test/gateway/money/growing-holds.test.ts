import { describe, expect, it } from 'vitest'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { smallCatalogue } from '../../support/memory-snapshot.ts'
import { chatChunk, chatCompletion, chatStream, messageStream } from '../../support/scripted-upstream.ts'
import { chat } from '../line.ts'
import { startBudgeted } from './budgeted-gateway.ts'

const visible = smallCatalogue.map((model) => ({ ...model, visibleOutput: true, abortStopsBilling: true }))
/** All of this answer would cost 16,000,000 nano-dollars. */
const long = { ...chat, max_tokens: 8000 }

async function start(limit: bigint) {
  const ledger = new MemoryLedger().add('b', limit)
  ledger.shareMax = 1n
  return await startBudgeted({ ledger, snapshot: { catalogue: visible } })
}

describe('a hold of a target that shows all of its output', () => {
  it('covers the whole bound where there is money for it, and nothing of the call is changed', async () => {
    const { ask, upstream, dispatched, gateway } = await start(1_000_000_000n)
    upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
    await ask(long)
    expect(upstream.requests.at(-1)?.json).not.toHaveProperty('stream')
    expect(dispatched[0]?.hold.state.kind).toBe('full')
    expect((await gateway.lastRecord()).row).toMatchObject({ assembled: false, identity: true })
  })

  it('grows with a stream where there is not, and settles what the stream cost', async () => {
    const { ask, upstream, dispatched, reported, ledger } = await start(6_000_000n)
    const events = chatStream(...Array.from({ length: 20 }, () => 'x'.repeat(60)))
    upstream.play(async (turn) => {
      turn.events('')
      for (const event of events) {
        turn.response.write(event)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      turn.response.end()
    })
    const response = await ask({ ...long, stream: true, stream_options: { include_usage: true } })
    expect(await response.text()).toBe(events.join(''))
    expect(dispatched[0]?.hold.state.kind).toBe('growing')
    expect(dispatched[0]?.hold.state.outputTokens).toBeGreaterThan(1200)
    await reported()
    expect(ledger.get('b').settled).toBe(20_000n)
  })

  it('ends a stream with the finish of its format when it cannot grow any more, and says why', async () => {
    const { ask, upstream, reported, ledger, gateway } = await start(3_000_000n)
    let closed: Promise<void> | undefined
    upstream.play(async (turn) => {
      closed = turn.closed()
      turn.events(chatChunk({ role: 'assistant', content: '' }))
      for (let count = 0; count < 200 && !turn.response.destroyed; count++) {
        turn.response.write(chatChunk({ content: 'y'.repeat(50) }))
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })
    const text = await (await ask({ ...long, stream: true })).text()
    await closed
    expect(text).toContain('"finish_reason":"length"')
    expect(text.endsWith('data: [DONE]\n\n: signalbox cut=budget_exhausted\n\n')).toBe(true)
    const { row, body } = await gateway.lastRecord()
    expect(row).toMatchObject({ errorCode: 'budget_exhausted', truncated: true })
    expect(body.attempts[0]).toMatchObject({
      outcome: 'cut',
      hold: { kind: 'growing', evidence: 'estimated' },
    })
    await reported()
    const { settled, limit, overrun } = ledger.get('b')
    expect(settled).toBeGreaterThan(1_500_000n)
    expect(settled).toBeLessThanOrEqual(limit)
    expect(overrun).toBe(0n)
  })

  it('ends a message and its open block in the words of its format', async () => {
    const { gateway, upstream } = await start(3_000_000n)
    const [first = '', second = '', ...rest] = messageStream(
      ...Array.from({ length: 100 }, () => 'z'.repeat(50)),
    )
    upstream.play(async (turn) => {
      turn.events(first + second)
      for (const event of rest) {
        if (turn.response.destroyed) return
        turn.response.write(event)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })
    const body = {
      model: 'anthropic/claude-sonnet-4-5',
      max_tokens: 8000,
      stream: true,
      messages: chat.messages,
    }
    const text = await (await gateway.send('/v1/messages', body)).text()
    const types = [...text.matchAll(/^event: (\w+)/gm)].map(([, type]) => type)
    expect(types.slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop'])
    expect(text).toContain('"stop_reason":"max_tokens"')
  })

  it('makes a plain call a stream that is put together', async () => {
    const { ask, upstream, reported, ledger, gateway } = await start(6_000_000n)
    upstream.play((turn) => {
      turn.events(chatStream('Hel', 'lo').join(''))
      turn.response.end()
    })
    const response = await ask(long)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }],
      usage: { completion_tokens: 5 },
    })
    expect(upstream.requests.at(-1)?.json).toMatchObject({ stream: true })
    expect((await gateway.lastRecord()).row).toMatchObject({
      assembled: true,
      identity: false,
      costNanoUsd: '20000',
    })
    await reported()
    expect(ledger.get('b').settled).toBe(20_000n)
  })

  it('is cut with a plain call too', async () => {
    const { ask, upstream, gateway } = await start(3_000_000n)
    upstream.play(async (turn) => {
      turn.events(chatChunk({ role: 'assistant', content: '' }))
      for (let count = 0; count < 200 && !turn.response.destroyed; count++) {
        turn.response.write(chatChunk({ content: 'y'.repeat(50) }))
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })
    const response = await ask(long)
    expect(response.headers.get('x-signalbox-cut')).toBe('budget_exhausted')
    expect(await response.json()).toMatchObject({ choices: [{ finish_reason: 'length' }] })
    expect((await gateway.lastRecord()).body.attempts[0]?.outcome).toBe('cut')
  })

  it('settles the input and what was seen when the caller goes away', async () => {
    const { ask, upstream, reported, ledger, dispatched } = await start(1_000_000_000n)
    const controller = new AbortController()
    upstream.play((turn) => turn.events(chatStream('a'.repeat(100)).slice(0, 2).join('')))
    const response = await ask({ ...long, stream: true }, { signal: controller.signal })
    await response.body?.getReader().read()
    controller.abort()
    await reported()
    const { settled } = ledger.get('b')
    expect(settled).toBeGreaterThan(1_200_000n)
    expect(settled).toBeLessThan(2_500_000n)
    expect(dispatched[0]?.heldNanoUsd).toBeGreaterThan(16_000_000n)
  })

  // Where output is hidden each call keeps all that it can cost: $3.84 of $10. Who is refused beside it may ask again.
  it.each([
    { output: 'shows', callers: 1, least: 95 },
    { output: 'shows', callers: 8, least: 95 },
    { output: 'hides', callers: 1, least: 95 },
    { output: 'hides', callers: 2, least: 60 },
    { output: 'hides', callers: 8, least: 0 },
  ])('spends $least % of a budget before the first refusal, and 95 % in the end, where a target $output its output and $callers call at once', async ({
    output,
    callers,
    least,
  }) => {
    const ledger = new MemoryLedger().add('b', 10_000_000_000n)
    const prices = [{ units: { input: 3_000_000, output: 60_000_000 } }]
    const models = output === 'shows' ? visible : smallCatalogue
    const catalogue = models.map((model) => ({ ...model, prices, outputTokensMax: 64_000 }))
    const { ask, upstream, reported } = await startBudgeted({ ledger, snapshot: { catalogue } })
    // 1 % of 64,000 tokens: 0.0384 dollars each.
    const usage = { prompt_tokens: 10, completion_tokens: 640, total_tokens: 650 }
    upstream.play((turn) => {
      if (turn.request.json.stream !== true) {
        turn.json(200, { ...Object(chatCompletion('x'.repeat(2560))), usage })
        return
      }
      const [head = '', text = '', finish = '', _usage, done = ''] = chatStream('x'.repeat(2560))
      turn.events(head + text + finish + chatChunk({}, { choices: [], usage }) + done)
      turn.response.end()
    })
    const isServed = async () => (await ask({ ...chat, max_tokens: 64_000 })).status === 200
    const percentSpent = async (): Promise<number> => {
      await reported()
      return Number((ledger.get('b').settled * 10_000n) / ledger.get('b').limit) / 100
    }
    let isRefused = false
    const caller = async (): Promise<void> => {
      while (!isRefused) isRefused = !(await isServed()) || isRefused
    }
    await Promise.all(Array.from({ length: callers }, caller))
    const first = await percentSpent()
    while (await isServed()) await percentSpent()
    const last = await percentSpent()
    process.stdout.write(
      `a target that ${output} its output, ${callers} at once: ${first} % spent at the first refusal, ${last} % at last\n`,
    )
    expect(first).toBeGreaterThanOrEqual(least)
    expect(last).toBeGreaterThanOrEqual(95)
  }, 30_000)
})
