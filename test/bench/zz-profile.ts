import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { descendantsOf, startSignalbox } from '../support/running-signalbox.ts'
import { bindToCore, cpuUsOf, runLoad, startPart } from './parts/processes.ts'

const upstream = await startPart('upstream.ts', [], 0)
const sink = await startPart('otlp-sink.ts', [], 0)
const workspace = mkdtempSync(join(tmpdir(), 'sbp-'))
mkdirSync(join(workspace, 'policies'))
writeFileSync(
  join(workspace, 'signalbox.yaml'),
  `name: bench\nconnections:\n  openai: { provider: openai, baseUrl: http://127.0.0.1:${upstream.port}/v1, credential: env:BENCH_KEY }\nmetadata:\n  sensitivity: { enum: [public, internal, confidential] }\n`,
)
writeFileSync(
  join(workspace, 'policies/local.policy.json'),
  JSON.stringify({
    kind: 'constraint',
    id: 's',
    onError: 'deny',
    rules: [
      {
        id: 'c',
        when: { eq: [{ fact: 'request.metadata.sensitivity', or: 'public' }, 'confidential'] },
        then: { only: { where: { locality: 'on-prem' }, code: 'L' } },
      },
    ],
  }),
)
const env: Record<string, string> = { SIGNALBOX_WORKSPACE: workspace, BENCH_KEY: 'b' }
if (process.env.OTLP) env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${sink.port}`
if (process.env.PROF) env.NODE_OPTIONS = '--cpu-prof --cpu-prof-dir=/tmp/prof'
const s = await startSignalbox({ env })
const all = descendantsOf(s.process.pid ?? 0)
for (const each of all) bindToCore(each.pid, 0)
const gw = all.find((e) => e.command.includes('gateway/main.ts'))!
bindToCore(gw.pid, 1)
const key = await s.createKey()
const job = {
  port: Number(new URL(s.gatewayUrl).port),
  path: '/v1/chat/completions',
  headers: { authorization: `Bearer ${key}` },
  bodyBytes: 1024,
  connections: 32,
  seconds: 10,
  rate: 0,
}
for (let i = 0; i < 3; i++) {
  const _b = cpuUsOf(gw.pid)
  const _r = await runLoad(job)
}
await s.stop()
upstream.stop()
sink.stop()
