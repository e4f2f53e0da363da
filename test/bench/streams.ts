import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { descendantsOf, startSignalbox } from '../support/running-signalbox.ts'
import { residentKibOf, startPart } from './parts/processes.ts'

/**
 * Many streams at once: memory per stream, whether it grows, and how soon a caller's leaving reaches the upstream.
 * Default: 1,000 streams, 5 events a second of about 200 bytes, 60 s.
 */
const { values: options } = parseArgs({
  options: {
    streams: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    'pace-ms': { type: 'string', default: '200' },
  },
})
const [streams, seconds, paceMs] = [
  Number(options.streams),
  Number(options.seconds),
  Number(options['pace-ms']),
]
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const upstream = await startPart('upstream.ts', ['0', String(paceMs)], 0)
const workspace = mkdtempSync(join(tmpdir(), 'signalbox-streams-'))
writeFileSync(
  join(workspace, 'signalbox.yaml'),
  `name: streams\nconnections:\n  openai: { provider: openai, baseUrl: http://127.0.0.1:${upstream.port}/v1, credential: env:BENCH_KEY }\n`,
)
const signalbox = await startSignalbox({ env: { SIGNALBOX_WORKSPACE: workspace, BENCH_KEY: 'bench' } })
const gateway = descendantsOf(signalbox.process.pid ?? 0).find((each) =>
  each.command.includes('gateway/main.ts'),
)
if (gateway === undefined) throw new Error('there is no gateway process')
const key = await signalbox.createKey()
const url = new URL(`${signalbox.gatewayUrl}/v1/chat/completions`)
const body = JSON.stringify({
  model: 'openai/gpt-5-mini',
  stream: true,
  messages: [{ role: 'user', content: 'Go' }],
})

let events = 0
let ended = 0
let failed = 0
function openStream(): () => void {
  const call = request(
    url,
    {
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    },
    (response) => {
      if (response.statusCode !== 200) failed++
      response.on('data', (data: Buffer) => {
        for (let at = data.indexOf('\n\n'); at !== -1; at = data.indexOf('\n\n', at + 2)) events++
      })
      response.on('end', () => ended++)
      response.on('error', () => {})
    },
  )
  call.on('error', () => {})
  call.end(body)
  return () => call.destroy()
}
const openUpstream = async (): Promise<number> =>
  Number(await fetch(`http://127.0.0.1:${upstream.port}/open`).then((response) => response.text()))

try {
  const warm = openStream()
  await sleep(2000)
  warm()
  await sleep(1000)
  const idleKib = residentKibOf(gateway.pid)
  const closers = Array.from({ length: streams }, openStream)
  await sleep(10_000)
  const startKib = residentKibOf(gateway.pid)
  const [eventsBefore, from] = [events, performance.now()]
  await sleep((seconds - 10) * 1000)
  const endKib = residentKibOf(gateway.pid)
  const rate = ((events - eventsBefore) * 1000) / (performance.now() - from)
  say(
    `streams ${streams}, open at the upstream ${await openUpstream()}, failed ${failed}, ended early ${ended}`,
  )
  say(`events/s ${rate.toFixed(0)} of ${((streams * 1000) / paceMs).toFixed(0)}`)
  say(`RSS idle ${idleKib} KiB, after 10 s ${startKib} KiB, after ${seconds} s ${endKib} KiB`)
  say(`growth after the first 10 s ${(((endKib - startKib) / startKib) * 100).toFixed(1)} % (bar < 5 %)`)
  say(`per stream ${((endKib - idleKib) / streams).toFixed(1)} KiB (bar 60 KiB)`)
  const closedAt = performance.now()
  for (const close of closers) close()
  let open = streams
  while (open > 0 && performance.now() - closedAt < 5000) {
    open = await openUpstream()
    if (open > 0) await sleep(5)
  }
  say(
    `${streams} callers gone: all upstream requests aborted after ${(performance.now() - closedAt).toFixed(0)} ms`,
  )
  const one = openStream()
  await sleep(1000)
  const oneAt = performance.now()
  one()
  while ((await openUpstream()) > 0) await sleep(1)
  say(`1 caller gone: upstream aborted after ${(performance.now() - oneAt).toFixed(0)} ms (bar 100 ms)`)
} finally {
  await signalbox.stop()
  upstream.stop()
  rmSync(workspace, { recursive: true, force: true })
}
