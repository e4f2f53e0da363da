import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  baseFacts,
  buildVersion,
  createEngine,
  type LoadedWorkspace,
  loadCatalogue,
  type Program,
  verifyVectors,
} from '@signalbox/policies'
import type { GoldenVector } from '@signalbox/sdk/contract'

/**
 * What many policies cost: evaluation of 10 and of 1,000 rules of which ten are relevant, memory and switching of 1,000
 * workspaces' images, and the activation of a release of 200 policies while calls go on.
 * `node test/bench/activate.ts [WORKSPACES]`
 */
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
const catalogue = loadCatalogue()

/** Policies with five rules each; each two are about a route of their own. */
async function workspaceOf(policies: number, name: string) {
  const files = new Map([
    [
      'signalbox.yaml',
      `name: ${name}\nmetadata: { feature: { type: string } }\nmodels: { smart: [openai/gpt-5.5] }\n`,
    ],
  ])
  for (let index = 0; index < policies; index++) {
    const rules = Array.from({ length: 5 }, (_, rule) => ({
      id: `rule-${rule}`,
      when: { eq: [{ fact: 'request.metadata.feature', or: '' }, `feature-${rule}`] },
      then: { use: { model: 'smart' } },
    }))
    const document = { kind: 'route', id: `p${index}`, match: { route: `r${index >> 1}` }, rules }
    files.set(`policies/p${index}.policy.json`, JSON.stringify(document))
  }
  const { version, problems } = await buildVersion(files, { catalogue, typeCheck: false })
  if (version === null) throw new Error(JSON.stringify(problems.slice(0, 3)))
  const vectors = [...version.blobs]
    .filter(([digest]) =>
      version.manifest.blobs.some((each) => each.digest === digest && /vectors/.test(each.path)),
    )
    .flatMap(([, bytes]) =>
      Buffer.from(bytes)
        .toString()
        .split('\n')
        .filter((line) => line !== ''),
    )
    .map((line): GoldenVector => JSON.parse(line))
  const { digest, script, compiled } = version
  return { workspace: { digest, script, compiled, nodePath: [] } satisfies LoadedWorkspace, vectors }
}

/** Median of an evaluation in µs; each call is another caller's, so that none is answered from memory. */
function costOf(program: Program, layers?: readonly number[], name = 0): () => number {
  let round = 0
  return () => {
    const facts = baseFacts({ request: { route: 'r0', metadata: { feature: `x${round++}-${name}` } } })
    const from = process.hrtime.bigint()
    program.evaluate({ facts, params: {}, models: [], ...(layers !== undefined && { layers }) })
    return Number(process.hrtime.bigint() - from) / 1000
  }
}

const engine = await createEngine()
const environment = 'development'
const few = await workspaceOf(2, 'few')
const many = await workspaceOf(200, 'many')

const small = costOf(engine.load([few.workspace], { environment }))
const large = costOf(engine.load([many.workspace], { environment }))
const times: [number[], number[]] = [[], []]
for (let round = 0; round < 6000; round++) {
  const pair = [small(), large()] as const
  if (round >= 2000) for (const at of [0, 1] as const) times[at].push(pair[at])
}
const [ten, thousand] = [median(times[0]), median(times[1])]
say(
  `10 rules ${ten.toFixed(1)} µs, 1,000 rules of which 10 are relevant ${thousand.toFixed(1)} µs: ×${(thousand / ten).toFixed(2)}`,
)

const count = Number(process.argv[2] ?? 1000)
const copies = Array.from({ length: count }, (_, index) => ({
  ...few.workspace,
  compiled: { ...few.workspace.compiled, name: `w${index}` },
}))
const before = process.memoryUsage()
const loadFrom = performance.now()
const all = engine.load(copies, { environment })
const loadMs = (performance.now() - loadFrom) / count
const after = process.memoryUsage()
const kib = (after.rss - before.rss) / count / 1024
const inTurn: number[] = []
const same: number[] = []
for (let round = 0; round < 3000; round++) {
  const turn = costOf(all, [round % count], round)()
  const again = costOf(all, [round % 4], -round)()
  if (round >= 1000) {
    inTurn.push(turn)
    same.push(again)
  }
}
say(
  `${count} images: ${kib.toFixed(0)} KiB each, ${loadMs.toFixed(1)} ms to load; ${median(inTurn).toFixed(1)} µs in turn, ${median(same).toFixed(1)} µs among four`,
)

/** Processor time of this thread in ms: what other programs of the machine take is not in it. */
const threadCpuMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Calls that go on while something else does; what they waited for, and what this thread did in one go. */
class GoingCalls {
  readonly #call = costOf(engine.load([few.workspace], { environment }))
  readonly #delays = monitorEventLoopDelay({ resolution: 1 })
  #longestTurnMs = 0
  #slowestUs = 0

  async during(work: () => Promise<unknown>): Promise<string> {
    let running = true
    this.#delays.reset()
    this.#delays.enable()
    this.#longestTurnMs = 0
    this.#slowestUs = 0
    const calls = (async () => {
      for (let before = threadCpuMs(); running; before = threadCpuMs()) {
        await sleep(1)
        this.#longestTurnMs = Math.max(this.#longestTurnMs, threadCpuMs() - before)
        this.#slowestUs = Math.max(this.#slowestUs, this.#call())
      }
    })()
    const from = performance.now()
    await work()
    const tookMs = performance.now() - from
    running = false
    await calls
    this.#delays.disable()
    const { max } = this.#delays
    return (
      `${tookMs.toFixed(0)} ms, longest turn of the thread ${this.#longestTurnMs.toFixed(1)} ms of its own processor time, ` +
      `longest stall ${(max / 1e6).toFixed(1)} ms, slowest call ${(this.#slowestUs / 1000).toFixed(1)} ms`
    )
  }
}

const going = new GoingCalls()
say(`nothing but calls: ${await going.during(() => sleep(2000))}`)
for (const round of ['first', 'second', 'third']) {
  let wrong: string[] = []
  const said = await going.during(async () => {
    const program = await engine.loadApart([many.workspace], { environment })
    wrong = await verifyVectors(program, many.vectors, {
      compiled: many.workspace.compiled,
      catalogue: catalogue.catalogue,
    })
  })
  say(
    `${round} activation of 200 policies with calls going on: ${said}; ${wrong.length} of ${many.vectors.length} vectors wrong`,
  )
}
engine.dispose()
