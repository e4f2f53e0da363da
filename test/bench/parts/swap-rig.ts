import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { CallRecord } from '@signalbox/sdk/contract'
import { Pool } from 'undici'
import { type Program, startControlPlane, startProgram } from '../../support/programs.ts'

/** How much is swapped, and under what load. */
export interface SwapScale {
  readonly versions: number
  readonly releases: number
  readonly states: number
  readonly callsPerSecond: number
  /** Load without any change before, to compare with. */
  readonly quietMs: number
  /** The changes are spread over so long; one after the other where left out. */
  readonly overMs?: number
}
export interface Times {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly count: number
}
export interface SwapResult {
  readonly quiet: Times
  readonly busy: Times
  readonly busyPerSecond: number
  /** Calls that were not answered with 200, with what they were answered. */
  readonly failed: readonly string[]
  /** Records whose parts are of different versions. */
  readonly mixed: readonly string[]
  readonly records: number
  /** From the request for a change to the word of the last gateway that it holds. */
  readonly propagation: Readonly<Record<'release' | 'key' | 'revocation' | 'limit' | 'budget', Times>>
  /** Changes that came back with a gateway pending. */
  readonly pending: number
}

type ControlPlane = Awaited<ReturnType<typeof startControlPlane>>
const connections = 16

function timesOf(ms: readonly number[]): Times {
  const sorted = [...ms].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50Ms: at(0.5), p99Ms: at(0.99), count: sorted.length }
}

/** A version whose alias and whose route both say its number: what they say of one call must be of one version. */
const versionFiles = (index: number) => [
  { path: 'signalbox.yaml', text: `name: acme\nmodels:\n  named: [openai/alias-${index}]\n` },
  {
    path: 'policies/pick.policy.ts',
    text: `import { route, rule, use } from '@signalbox/policies'
export default route('pick', { rules: [ rule('all', { when: f => f.request.estimate.inputTokens >= 0, then: () => use('openai/route-${index}') }) ] })
`,
  },
]

/** Calls at an even pace over all gateways, each timed. */
class Load {
  readonly #pools: readonly Pool[]
  readonly #key: string
  readonly failed: string[] = []
  #timesMs: number[] = []
  #stopped = false
  readonly #running: Promise<unknown>

  constructor(urls: readonly string[], key: string, perSecond: number) {
    this.#pools = urls.map((url) => new Pool(url, { connections }))
    this.#key = key
    this.#running = this.#run(perSecond)
  }

  async #run(perSecond: number): Promise<void> {
    const open = new Set<Promise<void>>()
    const startMs = performance.now()
    for (let sent = 0; !this.#stopped; ) {
      const due = Math.floor(((performance.now() - startMs) / 1000) * perSecond)
      for (; sent < due; sent++) {
        const call = this.#call(sent).finally(() => open.delete(call))
        open.add(call)
      }
      await wait(2)
    }
    await Promise.all(open)
  }

  async #call(number: number): Promise<void> {
    const pool = this.#pools[number % this.#pools.length]
    const startMs = performance.now()
    try {
      const reply = await pool?.request({
        ...{ method: 'POST', path: '/v1/chat/completions' },
        headers: { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' },
        body: '{"model":"named","messages":[{"role":"user","content":"Hello"}]}',
      })
      const text = await reply?.body.text()
      if (reply?.statusCode !== 200) this.failed.push(`${reply?.statusCode}: ${text?.slice(0, 200)}`)
    } catch (error) {
      this.failed.push(String(error))
    }
    this.#timesMs.push(performance.now() - startMs)
  }

  /** The times since it was last asked. */
  take(): number[] {
    const taken = this.#timesMs
    this.#timesMs = []
    return taken
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
    await Promise.all(this.#pools.map((pool) => pool.close()))
  }
}

interface Rig {
  readonly controlPlane: ControlPlane
  readonly gateways: readonly Program[]
  readonly versions: readonly { readonly digest: string; readonly number: number }[]
  readonly key: string
  stop(): Promise<void>
}

async function buildRig(versions: number): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-swap-'))
  const controlPlane = await startControlPlane(join(folder, 'control-plane'))
  const { client } = controlPlane
  const made: Rig['versions'][number][] = []
  for (let index = 0; index < versions; index++) {
    const { digest, version } = await client.pushVersion({ files: versionFiles(index) })
    made.push({ digest, number: version })
  }
  await client.promoteVersion({ version: made[0]?.digest ?? '', environment: 'development' })
  await client.createTeam({ name: 'load' })
  const { key } = await client.createKey({ team: 'load', name: 'load' })
  const gateways: Program[] = []
  for (const name of ['one', 'two']) {
    const { token, trustRoot } = await client.enrollGateway({ environment: 'development' })
    const gateway = await startProgram('gateway', {
      SIGNALBOX_CONTROL_PLANE_URL: controlPlane.url,
      SIGNALBOX_GATEWAY_TOKEN: token,
      SIGNALBOX_TRUST_ROOT: trustRoot,
      SIGNALBOX_DATA_DIR: join(folder, name),
    })
    await gateway.ready()
    gateways.push(gateway)
  }
  return {
    ...{ controlPlane, gateways, versions: made, key },
    async stop() {
      for (const program of [...gateways, controlPlane]) await program.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Makes the changes, spread over each other, and times each. */
async function makeChanges({ controlPlane: { client }, versions }: Rig, scale: SwapScale) {
  const timesMs = { release: [], key: [], revocation: [], limit: [], budget: [] } as Record<
    keyof SwapResult['propagation'],
    number[]
  >
  let pending = 0
  const timed = async <T extends { pending?: readonly string[] | undefined }>(
    what: keyof typeof timesMs,
    change: () => Promise<T>,
  ): Promise<T> => {
    const startMs = performance.now()
    const reply = await change()
    timesMs[what].push(performance.now() - startMs)
    if (reply.pending !== undefined) pending++
    return reply
  }
  const beganMs = performance.now()
  const due = (share: number) => wait(Math.max(0, beganMs + share * (scale.overMs ?? 0) - performance.now()))
  const releases = async (): Promise<void> => {
    for (let index = 1; index <= scale.releases; index++) {
      await due(index / scale.releases)
      const version = versions[index % versions.length]?.digest ?? ''
      await timed('release', () => client.promoteVersion({ version, environment: 'development' }))
    }
  }
  const states = async (): Promise<void> => {
    for (let index = 0; index < scale.states; index += 4) {
      await due(index / scale.states)
      const { id } = await timed('key', () => client.createKey({ team: 'load', name: `k${index}` }))
      await timed('revocation', () => client.revokeKey({ id }))
      const limit = { team: 'load', unit: 'requests', window: 'minute', limit: 1_000_000 + index } as const
      await timed('limit', () => client.setLimit(limit))
      const budget = {
        team: 'load',
        window: 'day',
        limit: String(10n ** 15n + BigInt(index)),
        mode: 'soft',
      } as const
      await timed('budget', () => client.setBudget(budget))
    }
  }
  await Promise.all([releases(), states()])
  return { timesMs, pending }
}

/** What of a record is of another version than the rest of it; undefined where all is of one. */
function mixtureOf({ row, body }: CallRecord, versions: Rig['versions']): string | undefined {
  const index = versions.findIndex(({ number }) => number === row.version)
  const [asked] = body.facts?.request.model.targets ?? []
  const seen = [versions[index]?.digest === row.versionDigest, asked === `openai/alias-${index}`]
  const ordered = body.selection?.order[0] === `openai/route-${index}`
  return seen.every(Boolean) && ordered
    ? undefined
    : `${row.id}: v${row.version}, asked ${asked}, selected ${body.selection?.order[0]}`
}

/** Reads every record of the load back, and looks at each. */
async function readBack({ controlPlane: { client }, versions }: Rig, calls: number) {
  const mixed: string[] = []
  let records = 0
  let cursor: string | null = null
  const deadlineMs = performance.now() + 30_000
  while (performance.now() < deadlineMs) {
    const page: Uint8Array = await client.exportRecords({ limit: 1000, ...(cursor !== null && { cursor }) })
    const lines = Buffer.from(page).toString('utf8').trimEnd().split('\n')
    const end = JSON.parse(lines.pop() ?? '') as { end: { nextCursor: string | null } }
    for (const line of lines) {
      const mixture = mixtureOf(JSON.parse(line) as CallRecord, versions)
      if (mixture !== undefined) mixed.push(mixture)
    }
    records += lines.length
    cursor = end.end.nextCursor
    if (cursor !== null) continue
    if (records >= calls) break
    // The last ones are still on their way.
    records = 0
    mixed.length = 0
    await wait(500)
  }
  return { mixed, records }
}

/** Releases and states that change while calls run through two gateways: what that costs, and whether any call saw it. */
export async function runSwaps(scale: SwapScale): Promise<SwapResult> {
  const rig = await buildRig(scale.versions)
  try {
    const load = new Load(
      rig.gateways.map(({ url }) => url),
      rig.key,
      scale.callsPerSecond,
    )
    await wait(1000)
    const warm = load.take().length
    await wait(scale.quietMs)
    const quiet = load.take()
    const startMs = performance.now()
    const { timesMs, pending } = await makeChanges(rig, scale)
    const busyS = (performance.now() - startMs) / 1000
    const busy = load.take()
    await load.stop()
    const all = warm + quiet.length + busy.length + load.take().length
    const propagation = Object.fromEntries(
      Object.entries(timesMs).map(([what, ms]) => [what, timesOf(ms)]),
    ) as SwapResult['propagation']
    return {
      ...{
        quiet: timesOf(quiet),
        busy: timesOf(busy),
        busyPerSecond: busy.length / busyS,
        failed: load.failed,
      },
      ...(await readBack(rig, all)),
      ...{ propagation, pending },
    }
  } finally {
    await rig.stop()
  }
}
