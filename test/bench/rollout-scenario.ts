import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../../control-plane/postgres/start.ts'
import { afterBreachMs, brokenRoute, RolloutWorld, type SeenCall } from '../support/rollout-world.ts'

/*
 * The long form of `test/integration/rollouts.test.ts`: bad candidates at 5 % with the default guards, behind a control
 * plane and two gateway programs. Says how long each still gets calls after the breach, and ends with 1 where that is
 * more than 30 s or where a call fails that the candidate did not decide. `node test/bench/rollout-scenario.ts [USERS]`.
 */
const users = Array.from({ length: Number(process.argv[2] ?? '600') }, (_, index) => `user-${index}`)
const rollbackMsMax = 30_000
const waitMsMax = 300_000
const environment = 'development'
const say = (text: string) => process.stdout.write(`${text}\n`)
const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-rollouts-'))

/** Traffic until the candidate is gone. */
async function untilTakenBack(world: RolloutWorld): Promise<SeenCall[]> {
  const calls: SeenCall[] = []
  const startMs = performance.now()
  for (;;) {
    calls.push(...(await world.round({ users })))
    const tookMs = performance.now() - startMs
    if ((await world.current()).candidate === null || tookMs > waitMsMax) return calls
  }
}

async function play(
  world: RolloutWorld,
  what: string,
  push: ReturnType<RolloutWorld['push']>,
): Promise<void> {
  const { version } = await push
  await world.client.promoteVersion({ version: `v${version}`, environment, canaryPpm: 50_000 })
  const calls = await untilTakenBack(world)
  const candidate = calls.filter(({ arm }) => arm === 'candidate')
  const lost = calls.filter(({ arm, status }) => arm !== 'candidate' && status !== 200)
  const { evidence } = await world.current()
  const lateMs = afterBreachMs(calls, evidence)
  say(
    `${what}: its last call ${(lateMs / 1000).toFixed(1)} s after the breach; ${calls.length} calls, ` +
      `${candidate.length} of the candidate, ${lost.length} others failed; ` +
      `${evidence?.metric} ${evidence?.kind} by ${evidence?.by}`,
  )
  if (evidence === null || lateMs > rollbackMsMax || lost.length > 0) process.exitCode = 1
}

const postgres = await startPostgres(join(folder, 'postgres'))
const world = await RolloutWorld.start(postgres.url)
try {
  await world.push('good', {}, environment)
  await world.ready()
  await play(world, 'errors', world.push('failing'))
  await play(world, 'cost', world.push('dear'))
  await play(world, 'latency', world.push('slow'))
  await play(world, 'policy errors', world.push('good', { 'policies/broken.policy.ts': brokenRoute }))
} finally {
  await world.stop()
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}
