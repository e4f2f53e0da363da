import { setTimeout as wait } from 'node:timers/promises'
import type { BudgetWindow } from '@signalbox/sdk/contract'
import type { BudgetView, MoneyWorld } from './money-world.ts'
import type { SeededRandom } from './seeded-random.ts'

/** A budget of a tree. All calls whose names begin with its prefix are under it. */
export interface GrownBudget {
  readonly id: string
  readonly prefix: string
  readonly window: BudgetWindow
  readonly unit: 'usd' | 'tokens'
  readonly mode: 'hard' | 'soft' | 'shadow'
  readonly owner: { readonly team: string } | { readonly key: string }
  /** The highest that it ever was. */
  limitMost: bigint
  limit: bigint
}
export interface GrownKey {
  readonly key: string
  readonly prefix: string
}
/** Nested teams with keys, and budgets of several windows on both. */
export interface MoneyTree {
  readonly keys: readonly GrownKey[]
  readonly budgets: readonly GrownBudget[]
}

const cent = 10_000_000
const windows: readonly BudgetWindow[] = ['day', 'week', 'month', 'quarter', 'year', 'total']
/** Requests to the control plane at once. */
const atOnce = 32

interface Wish {
  readonly owner: GrownBudget['owner']
  readonly prefix: string
  readonly limit: number
  readonly window: BudgetWindow
  readonly unit: GrownBudget['unit']
  readonly mode: GrownBudget['mode']
}

async function inTurns<Item, Result>(
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (let start = 0; start < items.length; start += atOnce) {
    results.push(...(await Promise.all(items.slice(start, start + atOnce).map(run))))
  }
  return results
}

/** One or two budgets of an owner, of different windows; money that must hold, mostly. */
function wishesFor(random: SeededRandom, owner: GrownBudget['owner'], prefix: string, cents: number): Wish[] {
  const chosen = random.shuffle(windows).slice(0, random.between(1, 2))
  return chosen.map((window, index) => {
    const unit = random.chance(0.15) ? 'tokens' : 'usd'
    // A tenth of a cent is some hundred tokens here.
    const limit = unit === 'usd' ? cents * cent : cents * 1500
    const mode = index === 0 || random.chance(0.5) ? 'hard' : random.pick(['soft', 'shadow'] as const)
    return { owner, prefix, limit: Math.ceil(limit * (0.6 + random.next())), window, unit, mode }
  })
}

/** Waits until every gateway that runs has heard of all that was changed so far. */
async function untilHeard(world: MoneyWorld, budget: BudgetView, wish: Wish): Promise<void> {
  let { pending, revision, limit } = budget
  for (let tries = 0; pending !== undefined && pending.length > 0; tries++) {
    if (tries > 40) throw new Error(`not heard of by ${pending.join()}`)
    await wait(250)
    limit = String(BigInt(limit) + 1n)
    const changed = await world.client.setBudget({
      ...wish.owner,
      window: wish.window,
      unit: wish.unit,
      limit,
      revision,
    })
    pending = changed.pending
    revision = changed.revision
  }
}

/** Makes a tree of so many keys under one team of this name. */
export async function growTree(
  world: MoneyWorld,
  options: { readonly name: string; readonly keys: number; readonly random: SeededRandom },
): Promise<MoneyTree> {
  const { name, random } = options
  const teams = [
    { path: name, prefix: `${name}-`, parent: undefined as string | undefined, share: 1 },
    { path: `${name}/a`, prefix: `${name}-a-`, parent: name, share: 0.5 },
    { path: `${name}/a/c`, prefix: `${name}-a-c-`, parent: `${name}/a`, share: 0.3 },
    { path: `${name}/b`, prefix: `${name}-b-`, parent: name, share: 0.6 },
  ]
  const ids = new Map<string, string>()
  const wishes: Wish[] = []
  for (const { path, prefix, parent, share } of teams) {
    const parentId = parent === undefined ? undefined : ids.get(parent)
    const made = await world.client.createTeam({
      name: path.slice(path.lastIndexOf('/') + 1),
      ...(parentId === undefined ? {} : { parent: parentId }),
    })
    ids.set(path, made.id)
    wishes.push(...wishesFor(random, { team: made.id }, prefix, options.keys * 2 * share))
  }
  const plans = Array.from({ length: options.keys }, (_, number) => {
    const team = random.pick(teams)
    return { team, label: `k${number}`, prefix: `${team.prefix}k${number}-` }
  })
  const keys = await inTurns(plans, async ({ team, label, prefix }) => {
    const made = await world.client.createKey({ team: ids.get(team.path) ?? '', name: label })
    return { id: made.id, key: made.key, prefix }
  })
  for (const { id, prefix } of keys) {
    if (random.chance(0.4)) wishes.push(...wishesFor(random, { key: id }, prefix, random.between(1, 8)))
  }
  const budgets = await inTurns(wishes, async (wish) => {
    const { owner, window, unit, mode } = wish
    const made = await world.client.setBudget({ ...owner, window, unit, mode, limit: String(wish.limit) })
    const limit = BigInt(made.limit)
    return { made, grown: { ...wish, id: made.id, limit, limitMost: limit } }
  })
  const last = budgets.at(-1)
  const lastWish = wishes.at(-1)
  if (last !== undefined && lastWish !== undefined) {
    await untilHeard(world, last.made, lastWish)
    last.grown.limitMost += 100n
  }
  return { keys, budgets: budgets.map(({ grown }) => grown) }
}
