import { Refusal } from '@signalbox/sdk/contract'
import { asArray, asObject, asString, type JsonObject } from '../wire/json-value.ts'

/** What a call is to a config: what its conditions ask for, and what its draws are made with. */
export interface ConfigCall {
  readonly model: string
  readonly params: JsonObject
  readonly metadata: Readonly<Record<string, unknown>>
  /** Unsigned 32-bit random number. */
  readonly draw: number
}
/** Where a config leads this call: models in the order of trying, and members that nobody here grants. */
export interface ConfigWish {
  readonly models: readonly string[]
  readonly ignored: readonly string[]
}

const header = 'x-portkey-config'
const depthMax = 6
const targetsMax = 16
const conditionsMax = 64
/** Members that are understood; a config's own name and kind ask for nothing. */
const known = new Set([
  'strategy',
  'targets',
  'provider',
  'override_params',
  'name',
  'weight',
  'id',
  'version',
])

function refuse(what: string): never {
  throw new Refusal('invalid_request', { message: `The header ${header} ${what}.`, param: header })
}

const compare: Readonly<Record<string, (value: unknown, wanted: unknown) => boolean>> = {
  $eq: (value, wanted) => value === wanted,
  $ne: (value, wanted) => value !== wanted,
  $in: (value, wanted) => asArray(wanted).includes(value),
  $nin: (value, wanted) => !asArray(wanted).includes(value),
  $gt: (value, wanted) => Number(value) > Number(wanted),
  $gte: (value, wanted) => Number(value) >= Number(wanted),
  $lt: (value, wanted) => Number(value) < Number(wanted),
  $lte: (value, wanted) => Number(value) <= Number(wanted),
}

/** Reads a config of Portkey for one call. */
class ConfigReader {
  readonly ignored = new Set<string>()
  readonly #call: ConfigCall
  #conditions = 0

  constructor(call: ConfigCall) {
    this.#call = call
  }

  /** Models that a config, or a target of one, comes to. */
  modelsOf(node: JsonObject, path: string, depth = 0): string[] {
    if (depth > depthMax) return refuse(`is deeper than ${depthMax}`)
    for (const name of Object.keys(node)) if (!known.has(name)) this.ignored.add(`${path}.${name}`)
    const targets = asArray(node.targets).map(
      (each) => asObject(each) ?? refuse('has a target that is no object'),
    )
    if (targets.length > targetsMax) return refuse(`has more than ${targetsMax} targets`)
    if (targets.length === 0) return [this.#leaf(node)]
    const strategy = asObject(node.strategy) ?? {}
    if (strategy.on_status_codes !== undefined) this.ignored.add(`${path}.strategy.on_status_codes`)
    return this.#chosen(strategy, targets).flatMap((target) =>
      this.modelsOf(target, `${path}.targets[]`, depth + 1),
    )
  }

  #leaf({ provider, override_params }: JsonObject): string {
    const { model: requested } = this.#call
    const model = (asString(asObject(override_params)?.model) ?? requested).replace(/^@/, '')
    const slug = asString(provider)?.replace(/^@/, '')
    if (slug === undefined) return model
    // The name as the caller has it may be that of another provider's.
    const bare =
      asString(asObject(override_params)?.model) === undefined ? model.slice(model.indexOf('/') + 1) : model
    return bare.startsWith(`${slug}/`) ? bare : `${slug}/${bare}`
  }

  #chosen(strategy: JsonObject, targets: readonly JsonObject[]): readonly JsonObject[] {
    const { mode = 'single' } = strategy
    if (mode === 'fallback') return targets
    if (mode === 'single') return targets.slice(0, 1)
    if (mode === 'loadbalance') return [this.#drawn(targets)]
    return mode === 'conditional' ? [this.#named(strategy, targets)] : refuse('has an unknown strategy.mode')
  }

  #drawn(targets: readonly JsonObject[]): JsonObject {
    const weights = targets.map(({ weight = 1 }) =>
      typeof weight === 'number' && weight >= 0 ? weight : refuse('has a weight that is none'),
    )
    const total = weights.reduce((sum, each) => sum + each, 0)
    let left = (this.#call.draw / 2 ** 32) * total
    const at = weights.findIndex((weight) => {
      left -= weight
      return left < 0
    })
    return targets[at === -1 ? targets.length - 1 : at] ?? refuse('has no target')
  }

  #named(strategy: JsonObject, targets: readonly JsonObject[]): JsonObject {
    const holding = asArray(strategy.conditions).find((each) => this.#holds(asObject(each)?.query))
    const name = asString(asObject(holding)?.then) ?? asString(strategy.default)
    const target = targets.find((each) => each.name === name)
    return target ?? refuse(`names no target "${name?.slice(0, 64) ?? ''}" for this call`)
  }

  #holds(query: unknown): boolean {
    if (++this.#conditions > conditionsMax) return refuse(`has more than ${conditionsMax} conditions`)
    return Object.entries(asObject(query) ?? refuse('has a condition without a query')).every(
      ([path, wanted]) => {
        if (path === '$and') return asArray(wanted).every((each) => this.#holds(each))
        if (path === '$or') return asArray(wanted).some((each) => this.#holds(each))
        const value = this.#valueAt(path)
        const operators = asObject(wanted) ?? { $eq: wanted }
        return Object.entries(operators).every(([name, operand]) => {
          const operator = Object.hasOwn(compare, name) ? compare[name] : undefined
          return operator === undefined
            ? refuse(`has an operator that is not known here`)
            : operator(value, operand)
        })
      },
    )
  }

  #valueAt(path: string): unknown {
    const { metadata, params, model } = this.#call
    const [, kind, name = ''] = /^(metadata|params)\.(.+)$/.exec(path) ?? []
    if (kind === undefined) return refuse('has a condition on neither metadata nor params')
    if (kind === 'params' && name === 'model') return model
    const from = kind === 'metadata' ? metadata : params
    return Object.hasOwn(from, name) ? from[name] : undefined
  }
}

/**
 * Where a config (`x-portkey-config`, as JSON) leads a call: one model, or several to try in order. It is what the
 * caller asks for, no more: policies decide on it. Undefined for the id of one that is kept elsewhere.
 * After Portkey's own description of gateway configs (portkey.ai/docs, "Config object").
 * @throws Refusal `invalid_request` for one that is not of its documented form.
 */
export function readConfig(text: string, call: ConfigCall): ConfigWish | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  let value: JsonObject | undefined
  try {
    value = asObject(JSON.parse(text))
  } catch {
    // It is refused below, like every value that is no object.
  }
  if (value === undefined) return refuse('is not valid JSON')
  const reader = new ConfigReader(call)
  const models = [...new Set(reader.modelsOf(value, header))]
  return { models, ignored: [...reader.ignored] }
}
