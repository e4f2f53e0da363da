import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
  bindToCore,
  cpuUsOf,
  measuredCore,
  otherCore,
  type Part,
  runLoad,
  startPart,
} from './parts/processes.ts'

/**
 * What the way of a call costs without the programs around it: CPU time per call beside a bare relay, in one run, for
 * a policy of the host and for the starter's in the sandbox. For work on the call path; `overhead.ts` measures the
 * product. Argument: seconds per round (4).
 */
const seconds = Number(process.argv[2] ?? 4)
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

interface Contender {
  readonly name: string
  readonly part: Part
  readonly headers: Readonly<Record<string, string>>
}

async function startGateway(upstreamPort: number, policies: string): Promise<Contender> {
  const path = fileURLToPath(new URL('parts/call-path-gateway.ts', import.meta.url))
  const child = spawn(process.execPath, [path, String(upstreamPort), policies], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port = '', key = ''] = await new Promise<string[]>((resolve) => {
    let text = ''
    child.stdout.on('data', (data: Buffer) => {
      text += data.toString('utf8')
      if (text.split('\n').length > 2) resolve(text.split('\n'))
    })
  })
  const pid = child.pid ?? 0
  bindToCore(pid, measuredCore)
  const part = { pid, port: Number(port), stop: () => void child.kill('SIGKILL') }
  return { name: `gateway, ${policies}`, part, headers: { authorization: `Bearer ${key}` } }
}

const upstream = await startPart('upstream.ts', [], otherCore)
const relay = await startPart('relay.ts', [`http://127.0.0.1:${upstream.port}`], measuredCore)
const contenders: Contender[] = [
  { name: 'bare relay', part: relay, headers: {} },
  await startGateway(upstream.port, 'bare'),
  await startGateway(upstream.port, 'starter'),
]
try {
  for (const bodyBytes of [1024, 50 * 1024]) {
    const rows = new Map(
      contenders.map(({ name }) => [name, { cpuUs: [] as number[], perSecond: [] as number[], errors: 0 }]),
    )
    for (let round = 0; round < 4; round++) {
      for (const { name, part, headers } of contenders) {
        const job = {
          port: part.port,
          path: '/v1/chat/completions',
          headers,
          bodyBytes,
          connections: 32,
          rate: 0,
        }
        const before = cpuUsOf(part.pid)
        const result = await runLoad({ ...job, seconds: round === 0 ? seconds * 2 : seconds })
        const row = rows.get(name)
        // The first round warms up.
        if (row === undefined || round === 0) continue
        row.cpuUs.push((cpuUsOf(part.pid) - before) / result.count)
        row.perSecond.push(result.perSecond)
        row.errors += result.errors
      }
    }
    const base = median(rows.get('bare relay')?.perSecond ?? [])
    say(`\n${bodyBytes / 1024} KB bodies`)
    for (const [name, { cpuUs, perSecond, errors }] of rows) {
      const ratio = (median(perSecond) / base).toFixed(2)
      say(
        `${name.padEnd(18)} ${median(perSecond).toFixed(0).padStart(7)} calls/s  ${ratio}  ${median(cpuUs).toFixed(0)} us CPU/call [${cpuUs.map((each) => each.toFixed(0)).join(' ')}]  ${errors} errors`,
      )
    }
  }
} finally {
  for (const part of [upstream, relay, ...contenders.map((each) => each.part)]) part.stop()
}
