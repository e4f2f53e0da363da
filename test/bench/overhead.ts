import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { descendantsOf, type RunningSignalbox, startSignalbox } from '../support/running-signalbox.ts'
import { startNginx } from './parts/nginx.ts'
import {
  bindToCore,
  cpuUsOf,
  type LoadResult,
  measuredCore,
  otherCore,
  type Part,
  runLoad,
  startPart,
} from './parts/processes.ts'

/**
 * What a call costs: Signalbox (policy evaluation, records, metrics and tracing on) beside a bare node:http + undici
 * relay and nginx, same upstream, same load, same run. Rows alternate over the rounds, so ratios hold on noisy machines.
 */
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    'warm-up': { type: 'string', default: '10' },
    connections: { type: 'string', default: '32' },
  },
})
const seconds = Number(options.seconds)
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

interface Contender {
  readonly name: string
  readonly pid: number
  readonly port: number
  readonly headers: Readonly<Record<string, string>>
}
interface Row {
  readonly perSecond: number[]
  readonly cpuUs: number[]
  readonly p50Us: number[]
  readonly p99Us: number[]
  errors: number
}

const workspaceYaml = (upstream: number): string => `
name: bench
connections:
  openai: { provider: openai, baseUrl: http://127.0.0.1:${upstream}/v1, credential: env:BENCH_KEY }
models:
  smart: [openai/gpt-5.5, openai/gpt-5-mini]
metadata:
  tier: { enum: [free, paid] }
  sensitivity: { enum: [public, internal, confidential] }
`
const constraint = {
  kind: 'constraint',
  id: 'sensitive-stays-local',
  onError: 'deny',
  rules: [
    {
      id: 'confidential',
      when: { eq: [{ fact: 'request.metadata.sensitivity', or: 'public' }, 'confidential'] },
      then: { only: { where: { locality: 'on-prem' }, code: 'LOCAL_ONLY' } },
    },
  ],
}
const route = `import { inBucket, param, route, rule, use } from '@signalbox/policies'

const ppm = param.int('canaryPpm', { default: 50_000, min: 0, max: 1_000_000 })

export default route('canary', {
  rules: [
    rule('canary', {
      when: (f) => f.request.model.alias === 'smart' && inBucket(f, { rollout: 'bench', ppm: ppm() }),
      then: () => use('openai/gpt-5.5'),
    }),
  ],
})
`

function writeWorkspace(upstream: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-workspace-'))
  mkdirSync(join(folder, 'policies'))
  writeFileSync(join(folder, 'signalbox.yaml'), workspaceYaml(upstream))
  writeFileSync(join(folder, 'policies/local.policy.json'), JSON.stringify(constraint))
  writeFileSync(join(folder, 'policies/canary.policy.ts'), route)
  return folder
}

async function startGateway(
  upstream: number,
  sink: Part,
): Promise<{ running: RunningSignalbox; contender: Contender }> {
  const workspace = writeWorkspace(upstream)
  const running = await startSignalbox({
    env: {
      SIGNALBOX_WORKSPACE: workspace,
      BENCH_KEY: 'bench',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sink.port}`,
    },
  })
  rmSync(workspace, { recursive: true, force: true })
  const processes = descendantsOf(running.process.pid ?? 0)
  for (const each of processes) bindToCore(each.pid, otherCore)
  const gateway = processes.find((each) => each.command.includes('gateway/main.ts'))
  if (gateway === undefined) throw new Error('there is no gateway process')
  bindToCore(gateway.pid, measuredCore)
  const key = await running.createKey()
  const contender = {
    name: 'signalbox',
    pid: gateway.pid,
    port: Number(new URL(running.gatewayUrl).port),
    headers: { authorization: `Bearer ${key}` },
  }
  return { running, contender }
}

let sentToSignalbox = 0
async function load(
  contender: Contender,
  bodyBytes: number,
  rate: number,
  duration: number,
): Promise<LoadResult> {
  const result = await runLoad({
    port: contender.port,
    path: '/v1/chat/completions',
    headers: contender.headers,
    bodyBytes,
    connections: Number(options.connections),
    seconds: duration,
    rate,
  })
  if (contender.name === 'signalbox') sentToSignalbox += result.count
  return result
}

async function measure(contenders: readonly Contender[], bodyBytes: number): Promise<Map<string, Row>> {
  const rows = new Map<string, Row>(
    contenders.map((each) => [each.name, { perSecond: [], cpuUs: [], p50Us: [], p99Us: [], errors: 0 }]),
  )
  for (const contender of contenders) await load(contender, bodyBytes, 0, Number(options['warm-up']))
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const contender of contenders) {
      const row = rows.get(contender.name)
      if (row === undefined) continue
      const before = cpuUsOf(contender.pid)
      const closed = await load(contender, bodyBytes, 0, seconds)
      row.cpuUs.push((cpuUsOf(contender.pid) - before) / closed.count)
      row.perSecond.push(closed.perSecond)
      const open = await load(contender, bodyBytes, 1000, seconds)
      row.p50Us.push(open.p50Us)
      row.p99Us.push(open.p99Us)
      row.errors += closed.errors + open.errors
    }
  }
  return rows
}

function print(bodyBytes: number, rows: ReadonlyMap<string, Row>): void {
  const base = rows.get('bare relay')
  const direct = rows.get('direct')
  say(`\n${bodyBytes / 1024} KB bodies   calls/s   ratio  CPU us/call  added p50 us  added p99 us  errors`)
  for (const [name, row] of rows) {
    const ratio = median(row.perSecond) / median(base?.perSecond ?? [])
    const added = (of: 'p50Us' | 'p99Us'): string => String(median(row[of]) - median(direct?.[of] ?? []))
    say(
      [
        name.padEnd(14),
        median(row.perSecond).toFixed(0).padStart(10),
        ratio.toFixed(2).padStart(7),
        (name === 'direct' ? '' : median(row.cpuUs).toFixed(0)).padStart(12),
        added('p50Us').padStart(13),
        added('p99Us').padStart(13),
        String(row.errors).padStart(7),
      ].join(' '),
    )
  }
}

async function proveRecords(running: RunningSignalbox): Promise<void> {
  const deadline = performance.now() + 60_000
  let seen = 0
  while (performance.now() < deadline) {
    seen = (await running.client.getOverview({ sinceMs: Date.now() - 3_600_000 })).totals.calls
    if (seen >= sentToSignalbox) break
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  const { gaps } = await running.client.getOverview({ sinceMs: Date.now() - 3_600_000 })
  say(`\nrecords: ${seen} arrived, ${sentToSignalbox} answers counted by the load, ${gaps} in gaps`)
}

const upstream = await startPart('upstream.ts', [], otherCore)
const relay = await startPart('relay.ts', [`http://127.0.0.1:${upstream.port}`], measuredCore)
const sink = await startPart('otlp-sink.ts', [], otherCore)
const nginx = await startNginx(upstream.port)
const { running, contender } = await startGateway(upstream.port, sink)
try {
  const contenders: Contender[] = [
    { name: 'direct', pid: upstream.pid, port: upstream.port, headers: {} },
    ...(nginx === undefined ? [] : [{ name: 'nginx', pid: nginx.pid, port: nginx.port, headers: {} }]),
    { name: 'bare relay', pid: relay.pid, port: relay.port, headers: {} },
    contender,
  ]
  if (nginx === undefined) say('nginx is not installed; its row is left out')
  for (const bodyBytes of [1024, 50 * 1024]) print(bodyBytes, await measure(contenders, bodyBytes))
  await proveRecords(running)
  const spans = await fetch(`http://127.0.0.1:${sink.port}/`).then((response) => response.text())
  say(`OTLP: ${spans}`)
} finally {
  await running.stop()
  for (const part of [upstream, relay, sink, nginx]) part?.stop()
}
