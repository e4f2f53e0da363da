import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { connectionOf, memoryKey, memorySnapshot } from '../support/memory-snapshot.ts'
import { startGateway } from '../support/running-gateway.ts'
import { chatCompletion, chatStream, startScriptedUpstream } from '../support/scripted-upstream.ts'

/**
 * How fast the cache answers: exact hits at a fixed rate over loopback, plain and streamed, client and gateway in one
 * process (what is measured is both), beside a bare server that sends the same bytes: what the machine and the client
 * take of it. On a busy machine the CPU of a call is what can be compared. Arguments: calls per second (500), seconds
 * (10). Fails above 2 ms at p99.
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
/** How an answer was asked for first, and how it is asked for again. */
const forms = { plain: [false, false], streamed: [true, true], 'streamed from plain': [false, true] } as const
type Form = keyof typeof forms
const answers = new Map<string, Buffer>()
const bare = createServer((incoming, response) => {
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  incoming.on('end', () => {
    const { user } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { user: string }
    const body = answers.get(user) ?? Buffer.alloc(0)
    response.writeHead(200, { 'content-length': body.length, 'x-signalbox-cache': 'hit' }).end(body)
  })
})
await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve))
const bareUrl = `http://127.0.0.1:${(bare.address() as AddressInfo).port}`

async function ask(
  url: string,
  form: Form,
  options: { stream?: boolean; keep?: boolean } = {},
): Promise<string> {
  const content = `${form}: ${'A question of some length. '.repeat(40)}`
  const { stream = forms[form][1], keep = false } = options
  const { headers, body } = await request(`${url}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: {
      authorization: `Bearer ${memoryKey}`,
      'content-type': 'application/json',
      'x-signalbox-cache': 'ttl=600',
    },
    body: JSON.stringify({
      model: 'openai/gpt-5.2',
      user: form,
      stream,
      messages: [{ role: 'user', content }],
    }),
  })
  if (keep) answers.set(form, Buffer.from(await body.arrayBuffer()))
  else await body.dump()
  return String(headers['x-signalbox-cache'])
}

const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2)

/** Asks at a fixed rate, whatever the answers take; gives the times of all in ms, sorted. */
async function measure(url: string, form: Form, durationMs: number): Promise<number[]> {
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
      ask(url, form).then((cache) => {
        times.push(performance.now() - sentMs)
        if (cache !== 'hit') misses++
      }),
    )
  }
  await Promise.all(running)
  if (misses > 0) throw new Error(`${misses} calls were no hits`)
  return times.toSorted((a, b) => a - b)
}

/** Measures and says it; gives the p99 in ms. */
async function tell(name: string, url: string, form: Form): Promise<number> {
  await measure(url, form, 2000)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const before = process.cpuUsage()
  const times = await measure(url, form, seconds * 1000)
  const { user, system } = process.cpuUsage(before)
  delay.disable()
  say(
    `${name} ${times.length} answers at ${perSecond}/s: p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms, ` +
      `max ${at(times, 1)} ms; event loop p99 ${(delay.percentile(99) / 1e6).toFixed(2)} ms; ` +
      `${((user + system) / times.length).toFixed(0)} us CPU a call, client and server together`,
  )
  return Number(at(times, 0.99))
}

try {
  for (const form of Object.keys(forms) as Form[]) {
    await ask(gateway.url, form, { stream: forms[form][0] })
    // A hit, as all that follow.
    await ask(gateway.url, form, { keep: true })
    const said = `${form}, ${answers.get(form)?.length ?? 0} bytes`
    await tell(`bare server, ${said}:`, bareUrl, form)
    const p99Ms = await tell(`cache hit,   ${said}:`, gateway.url, form)
    if (p99Ms > p99MsMax) process.exitCode = 1
  }
} finally {
  await agent.close()
  bare.close()
  await gateway.close()
  await upstream.close()
}
