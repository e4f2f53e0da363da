import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSignalbox } from '../support/running-signalbox.ts'
import { otherCore, runLoad, startPart } from './parts/processes.ts'

/**
 * What budgets cost of a call's CPU time in the loaded gateway: with hard budgets on organisation, team and key the
 * shares of its profile's samples that are within `gateway/money/`. Admitting (bound, hold), settling, and their lines in
 * the journal, which are written once a turn, are at most 5 % together. `node test/bench/money-share.ts [SECONDS]`.
 */
const seconds = Number(process.argv[2] ?? 10)
const warmUpSeconds = 5
const shareMax = 0.05
const say = (text: string): void => void process.stdout.write(`${text}\n`)

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Time of a profile in microseconds by what `classify` says of the frames of a sample, outermost first. */
function timeBy(profile: Profile, classify: (stack: readonly string[]) => string): Map<string, number> {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]))
  const kinds = new Map<number, string>()
  const calls = new Set<number>()
  const visit = (id: number, stack: readonly string[]): void => {
    const node = byId.get(id)
    if (node === undefined) return
    const own = [...stack, `${node.callFrame.functionName} ${node.callFrame.url}`]
    kinds.set(id, classify(own))
    if (own.at(-1)?.includes('/gateway/handle-call.ts') === true) calls.add(id)
    for (const child of node.children ?? []) visit(child, own)
  }
  visit(profile.nodes[0]?.id ?? 0, [])
  // Before the first call and after the last one there is nothing to share.
  const isCall = (id: number): boolean => kinds.get(id) !== 'idle' && calls.has(id)
  const [first, last] = [profile.samples.findIndex(isCall), profile.samples.findLastIndex(isCall)]
  const sums = new Map<string, number>()
  for (const [index, id] of profile.samples.entries()) {
    if (index < first || index > last) continue
    const kind = kinds.get(id) ?? 'other'
    sums.set(kind, (sums.get(kind) ?? 0) + (profile.timeDeltas[index] ?? 0))
  }
  return sums
}

function classify(stack: readonly string[]): string {
  if (/^\(idle\)/.test(stack.at(-1) ?? '')) return 'idle'
  const first = stack.find((frame) => frame.includes('/gateway/money/'))
  if (first === undefined) return 'rest'
  if (/^(admit|wait|boundOf|traitsOf) /.test(first)) return 'admit'
  if (first.includes('hold-journal')) return 'journal'
  return /^(settle|close|dispatch) .*attempt-hold/.test(first) ? 'settle' : 'beside'
}

/** The gateway's profile: the one in which calls are handled. */
function readProfile(folder: string): Profile {
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
  const text = texts.find((each) => each.includes('/gateway/handle-call.ts'))
  if (text === undefined) throw new Error('the gateway left no profile')
  return JSON.parse(text) as Profile
}

const profiles = mkdtempSync(join(tmpdir(), 'signalbox-profiles-'))
const workspace = mkdtempSync(join(tmpdir(), 'signalbox-share-'))
const upstream = await startPart('upstream.ts', [], otherCore)
const yaml = `name: share
connections:
  openai: { provider: openai, baseUrl: http://127.0.0.1:${upstream.port}/v1, credential: env:BENCH_KEY }
models:
  smart: [openai/gpt-5.5]
`
writeFileSync(join(workspace, 'signalbox.yaml'), yaml)
const running = await startSignalbox({
  env: {
    ...{ SIGNALBOX_WORKSPACE: workspace, BENCH_KEY: 'bench' },
    NODE_OPTIONS: `--cpu-prof --cpu-prof-interval=400 --cpu-prof-dir=${profiles}`,
  },
})
try {
  const { client, gatewayUrl } = running
  const limit = String(10n ** 15n)
  const team = await client.createTeam({ name: 'share' })
  const { id, key } = await client.createKey({ team: team.id, name: 'share' })
  const root = (await client.listTeams()).items.find(({ path }) => path === '')
  for (const owner of [{ team: root?.id ?? '' }, { team: team.id }, { key: id }]) {
    await client.setBudget({ ...owner, window: 'month', limit, mode: 'hard' })
  }
  const job = {
    ...{ port: Number(new URL(gatewayUrl).port), path: '/v1/chat/completions', bodyBytes: 1024 },
    ...{ headers: { authorization: `Bearer ${key}` }, connections: 32, rate: 0 },
  }
  const warmUp = await runLoad({ ...job, seconds: warmUpSeconds })
  const { count, errors, perSecond } = await runLoad({ ...job, seconds })
  say(`${count} calls, ${perSecond.toFixed(0)} per second, ${errors} errors`)
  await new Promise((resolve) => setTimeout(resolve, 2000))
  const [budget] = (await client.listBudgets({ key: id })).items
  say(`settled under the key's budget: ${budget?.current?.settled} nano-dollars`)
  await running.stop()
  const sums = timeBy(readProfile(profiles), classify)
  const of = (kind: string): number => sums.get(kind) ?? 0
  const all = of('admit') + of('settle') + of('beside') + of('rest')
  const held = of('admit') + of('settle') + of('journal')
  const share = held / all
  const percent = (us: number): string => `${((us / all) * 100).toFixed(2)} %`
  say(`CPU per call: ${(all / (count + warmUp.count)).toFixed(1)} us`)
  const parts = ['admit', 'settle', 'journal'].map((kind) => `${kind} ${percent(of(kind))}`)
  say(`${parts.join(' + ')} = ${percent(held)} (bar ${shareMax * 100} %)`)
  say(`beside them facts, headers, records and reports: ${percent(of('beside'))}`)
  process.exitCode = share <= shareMax && errors === 0 && count > 0 ? 0 : 1
} finally {
  await running.stop()
  upstream.stop()
  for (const each of [profiles, workspace]) rmSync(each, { recursive: true, force: true })
}
