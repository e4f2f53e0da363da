import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import {
  type BacktestVersions,
  createEngine,
  replayReport,
  runBacktest,
  type Tally,
} from '@signalbox/policies'
import { buildTraffic, RecordedTraffic, trafficFiles, trafficLibrary } from '../support/recorded-traffic.ts'

/**
 * How long it takes to decide recorded calls again: replayed alone, and against a candidate. Records differ from call to
 * call and stand in a file, so that nothing but reading, deciding and counting is measured.
 * `node test/bench/backtest.ts [records] [threads]`: 200,000 and one per core if left out.
 */
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const records = Number(process.argv[2] ?? 200_000)
const threads = Number(process.argv[3] ?? availableParallelism())
const limitS = 60

const candidateFiles = {
  ...trafficFiles,
  'policies/pick.policy.ts': (trafficFiles['policies/pick.policy.ts'] ?? '')
    .replace('500_000', '750_000')
    .replace("use('openai/gpt-5-mini')", "use('cheap')"),
}

const folder = mkdtempSync(join(tmpdir(), 'signalbox-backtest-'))
const file = join(folder, 'records.ndjson')
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const version = await buildTraffic()
const candidate = await buildTraffic(candidateFiles, 2)
const traffic = await RecordedTraffic.start(version)
await pipeline(traffic.lines(records), createWriteStream(file))
traffic.dispose()

async function measure(name: string, versions: BacktestVersions): Promise<Tally> {
  let largestBytes = 0
  const watch = setInterval(() => {
    largestBytes = Math.max(largestBytes, process.memoryUsage().rss)
  }, 200)
  const fromMs = performance.now()
  const fromCpu = process.cpuUsage()
  const tally = await runBacktest({
    ...versions,
    ...{ threads, library: trafficLibrary([version]) },
    records: createReadStream(file, { highWaterMark: 1024 * 1024 }),
  })
  clearInterval(watch)
  const seconds = (performance.now() - fromMs) / 1000
  const { user, system } = process.cpuUsage(fromCpu)
  // On a machine that others use too, the processor time is what it would take alone.
  const cpu = `${((user + system) / 1e6).toFixed(1)} s of processor time`
  const rate = Math.round(records / seconds).toLocaleString('en')
  const memory = `${Math.round(largestBytes / 1024 / 1024)} MiB at most`
  say(
    `${name}: ${records.toLocaleString('en')} records in ${seconds.toFixed(1)} s, ${rate}/s, ${threads} threads, ${cpu}, ${memory}`,
  )
  if (records === 200_000 && seconds > limitS) process.exitCode = 1
  return tally
}

const { self } = await measure('replay', {})
const engine = await createEngine()
const report = replayReport(self, engine.digest)
engine.dispose()
say(`  same ${report.same}, different ${report.different}, replayable ${report.replayablePpm} ppm`)
if (!report.ok || report.replayablePpm !== 1_000_000) process.exitCode = 1
const { comparison } = await measure('backtest', { candidate })
say(`  compared ${comparison.compared}, changed ${comparison.changed}`)
if (comparison.compared !== records) process.exitCode = 1
