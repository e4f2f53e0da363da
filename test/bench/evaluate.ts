import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  baseFacts,
  buildVersion,
  createEngine,
  loadCatalogue,
  loadWorkspaceFolder,
  writeStarter,
} from '@signalbox/policies'
import { startSignalbox } from '../support/running-signalbox.ts'

/**
 * What a policy evaluation costs: the starter's policies in a tight loop, then inside a running gateway for prompts of
 * 1 KB and 1 MB, as the records tell. The prompt never enters the sandbox, so the two must be alike.
 */
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
const show = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b)
  return `median ${quantile(sorted, 0.5).toFixed(1)} µs, p99 ${quantile(sorted, 0.99).toFixed(1)} µs`
}

async function tightLoop(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-evaluate-'))
  await writeStarter(join(folder, 'starter'), { name: 'starter' })
  const catalogue = loadCatalogue()
  const files = await loadWorkspaceFolder(join(folder, 'starter'))
  const { version } = await buildVersion(files, { catalogue, typeCheck: false })
  rmSync(folder, { recursive: true })
  if (version === null) throw new Error('the starter does not compile')
  const engine = await createEngine()
  const { digest, script, compiled } = version
  const program = engine.load([{ digest, script, compiled, nodePath: [] }], { environment: 'development' })
  const smart = {
    requested: 'smart',
    alias: 'smart',
    targets: ['anthropic/claude-opus-4-8', 'openai/gpt-5.5'],
  }
  /** More callers than the engine remembers: each call goes through the sandbox. */
  const callers = (model: object) =>
    Array.from({ length: 8192 }, (_, index) =>
      baseFacts({ request: { model }, subject: { stickyKey: `user-${index}` } }),
    )
  for (const [name, all] of [
    ['the same call again', [baseFacts()]],
    ['another caller each time', callers({})],
    ['another caller each time, canary', callers(smart)],
  ] as const) {
    const times: number[] = []
    const fuel = new Set<number>()
    for (let round = 0; round < 30_000; round++) {
      const facts = all[round % all.length] ?? baseFacts()
      const from = process.hrtime.bigint()
      const evaluation = program.evaluate({ facts, params: {}, models: [] })
      if (round >= 10_000) times.push(Number(process.hrtime.bigint() - from) / 1000)
      fuel.add(evaluation.fuel)
    }
    say(`starter, tight loop, ${name}: ${show(times)}, fuel up to ${Math.max(...fuel)}`)
  }
  engine.dispose()
}

/** Calls before any figure is taken: code that runs for the first time is slow, whichever prompt comes first. */
const warmUpCalls = 3000
const measuredCalls = 600
/** Calls at a time: the gateway is to be loaded, not woken up for each. */
const senders = 8

type Signalbox = Awaited<ReturnType<typeof startSignalbox>>

/**
 * Sends calls with a prompt of a size, and gives the ids of their records. Each is another caller's, so that the engine
 * has no answer at hand.
 */
async function send(
  { gatewayUrl }: Signalbox,
  key: string,
  of: { bytes: number; calls: number; name: string },
) {
  const content = 'word '.repeat(of.bytes / 5)
  const messages = [{ role: 'user', content }]
  const body = JSON.stringify({ model: 'openai/gpt-5.2', max_tokens: 5, messages })
  const ids: string[] = []
  let sent = 0
  const sendAll = async (): Promise<void> => {
    while (sent < of.calls) {
      const response = await fetch(`${gatewayUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'x-signalbox-session': `${of.name}-${sent++}`,
        },
        body,
      })
      await response.arrayBuffer()
      ids.push(response.headers.get('x-signalbox-decision') ?? '')
    }
  }
  await Promise.all(Array.from({ length: senders }, sendAll))
  return ids
}

async function insideGateway(): Promise<void> {
  const signalbox = await startSignalbox()
  try {
    const key = await signalbox.createKey()
    await send(signalbox, key, { bytes: 1024, calls: warmUpCalls, name: 'warm-up' })
    // One after the other and back: what differs by order shows.
    for (const [round, bytes] of [1024, 1024 * 1024, 1024].entries()) {
      const ids = await send(signalbox, key, { bytes, calls: measuredCalls, name: `round-${round}` })
      await new Promise((resolve) => setTimeout(resolve, 2000))
      const records: Awaited<ReturnType<typeof signalbox.client.getRecord>>[] = []
      for (const id of ids) records.push(await signalbox.client.getRecord({ id }))
      const facts = Math.max(...records.map(({ body: { facts } }) => JSON.stringify(facts ?? {}).length))
      const fuel = new Set(records.map((record) => record.body.fuel))
      const times = show(records.map((record) => record.body.evaluationUs))
      say(
        `in the gateway, ${bytes / 1024} KB prompt: ${times}, fuel ${[...fuel].join('/')}, facts ${facts} B`,
      )
    }
  } finally {
    await signalbox.stop()
  }
}

await tightLoop()
await insideGateway()
