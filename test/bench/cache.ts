import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { connectionOf, memoryKey, memorySnapshot } from '../support/memory-snapshot.ts'
import { startGateway } from '../support/running-gateway.ts'
import { chatCompletion, chatStream, startScriptedUpstream } from '../support/scripted-upstream.ts'

/**
 * How fast the cache answers: exact hits at a fixed rate over loopback, plain and streamed, client and gateway in one
 * process (what is measured is both). Arguments: calls per second (500), seconds (10). Fails above 2 ms at p99.
 */
const [perSecond = 500, seconds = 10] = process.argv.slice(2).map(Number)
const p99MsMax = 2
const say = (text: string): void => void process.stdout.write(`${text}\n`)

const upstream = await startScriptedUpstream()
upstream.play((turn) => {
  if (turn.request.json.stream !== true) return turn.json(200, chatCompletion('hello '.repeat(200)))
  turn.events(chatStream(...Array.from({ length: 200 }, () => 'hello ')).join(''))
  turn.response.end()
})
const connections = [connectionOf('openai', { baseUrl: `${upstream.url}/v1` })]
const gateway = await startGateway({ snapshot: memorySnapshot({ connections }), keep: 0 })
const agent = new Agent({ connections: 32 })

async function ask(stream: boolean): Promise<string> {
  const content = 'A question of some length. '.repeat(40)
  const { headers, body } = await request(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: {
      authorization: `Bearer ${memoryKey}`,
      'content-type': 'application/json',
      'x-signalbox-cache': 'ttl=600',
    },
    body: JSON.stringify({ model: 'openai/gpt-5.2', stream, messages: [{ role: 'user', content }] }),
  })
  await body.dump()
  return String(headers['x-signalbox-cache'])
}

const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2)

/** Asks at a fixed rate, whatever the answers take; gives the times of all in ms, sorted. */
async function measure(stream: boolean, durationMs: number): Promise<number[]> {
  const times: number[] = []
  let misses = 0
  const running: Promise<void>[] = []
  const startMs = performance.now()
  for (let index = 0; index < (durationMs / 1000) * perSecond; index++) {
    const dueMs = startMs + (index * 1000) / perSecond
    const leftMs = dueMs - performance.now()
    if (leftMs > 0) await wait(leftMs)
    const sentMs = performance.now()
    running.push(
      ask(stream).then((cache) => {
        times.push(performance.now() - sentMs)
        if (cache !== 'hit') misses++
      }),
    )
  }
  await Promise.all(running)
  if (misses > 0) throw new Error(`${misses} calls were no hits`)
  return times.toSorted((a, b) => a - b)
}

try {
  for (const stream of [false, true]) {
    await ask(stream)
    await measure(stream, 2000)
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const before = process.cpuUsage()
    const times = await measure(stream, seconds * 1000)
    const { user, system } = process.cpuUsage(before)
    delay.disable()
    const p99 = at(times, 0.99)
    say(
      `${stream ? 'streamed' : 'plain   '} ${times.length} hits at ${perSecond}/s: p50 ${at(times, 0.5)} ms, p99 ${p99} ms, ` +
        `max ${at(times, 1)} ms; event loop p99 ${(delay.percentile(99) / 1e6).toFixed(2)} ms; ` +
        `${((user + system) / times.length).toFixed(0)} us CPU a call, client and gateway together`,
    )
    if (Number(p99) > p99MsMax) process.exitCode = 1
  }
} finally {
  await agent.close()
  await gateway.close()
  await upstream.close()
}
