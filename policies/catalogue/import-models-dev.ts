import { readFileSync } from 'node:fs'
import { stdout } from 'node:process'
import type { ModelsDevLine } from './models-dev.ts'

/** A model of https://models.dev/api.json, as far as it is read here. */
interface ApiModel {
  readonly id: string
  readonly name?: string
  readonly attachment?: boolean
  readonly reasoning?: boolean
  readonly tool_call?: boolean
  readonly structured_output?: boolean
  readonly temperature?: boolean
  readonly release_date?: string
  readonly open_weights?: boolean
  readonly status?: string
  readonly modalities?: { readonly input?: readonly string[]; readonly output?: readonly string[] }
  readonly limit?: { readonly context?: number; readonly output?: number }
  readonly cost?: Readonly<Record<string, unknown>>
}
type Api = Readonly<Record<string, { readonly models: Readonly<Record<string, ApiModel>> }>>

/** Where we call a host otherwise than models.dev does. */
const ourNames: Readonly<Record<string, string>> = {
  togetherai: 'together',
  'fireworks-ai': 'fireworks',
  'amazon-bedrock': 'bedrock',
  azure: 'azure-openai',
  'novita-ai': 'novita',
  'wafer.ai': 'wafer',
}
/** Flat-rate plans: their zero prices are not the price of a call. Twins of a host under a second name. */
const leftOut =
  /(coding-plan|token-plan|for-coding|copilot|^opencode-go|^gitlab|^azure-cognitive|^stepfun-ai|^atomic-chat)/

const priced = ['input', 'output', 'cache_read', 'cache_write', 'reasoning', 'input_audio', 'output_audio']

function numbersOf(cost: Readonly<Record<string, unknown>>): Record<string, number> {
  const found: Record<string, number> = {}
  for (const key of priced) {
    const value = cost[key]
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) found[key] = value
  }
  return found
}

/** A tier of the data begins at a size of the input; a base of nothing but zeros is no price unless it says free. */
function costOf({ id, cost }: ApiModel): ModelsDevLine['cost'] {
  if (cost === undefined) return undefined
  const base = numbersOf(cost)
  if (base.input === undefined || base.output === undefined) return undefined
  const isZero = Object.values(base).every((value) => value === 0)
  if (isZero && !/[:-]free$/.test(id)) return undefined
  const tiers = Array.isArray(cost.tiers) ? (cost.tiers as Readonly<Record<string, unknown>>[]) : []
  const dearer = tiers.flatMap((tier) => {
    const size = (tier.tier as { size?: unknown } | undefined)?.size
    return typeof size === 'number' ? [{ over: size, ...numbersOf(tier) }] : []
  })
  return dearer.length === 0 ? base : { ...base, tiers: dearer }
}

function lineOf(host: string, model: ApiModel): ModelsDevLine {
  const cost = costOf(model)
  const { context, output } = model.limit ?? {}
  const capabilities = [
    ...(model.tool_call === true ? ['tools'] : []),
    ...(model.reasoning === true ? ['reasoning'] : []),
    ...(model.structured_output === true ? ['structuredOutput'] : []),
    ...(model.temperature === true ? ['temperature'] : []),
  ]
  return {
    host,
    id: model.id,
    ...(model.name !== undefined && { name: model.name.slice(0, 256) }),
    ...(cost !== undefined && { cost }),
    ...(context !== undefined && context > 0 && { context }),
    ...(output !== undefined && output > 0 && { output }),
    capabilities,
    ...(model.modalities?.input !== undefined && { in: model.modalities.input }),
    ...(model.modalities?.output !== undefined && { out: model.modalities.output }),
    ...(/^\d{4}-\d\d-\d\d$/.test(model.release_date ?? '') && { released: model.release_date }),
    ...(model.status === 'deprecated' && { deprecated: true }),
    ...(model.open_weights === true && { open: true }),
  }
}

/** Lines of `models-dev.ndjson`, by host and id: the same document gives the same lines. */
export function convertModelsDev(api: Api): string[] {
  const lines: ModelsDevLine[] = []
  for (const [id, { models }] of Object.entries(api)) {
    if (leftOut.test(id)) continue
    for (const model of Object.values(models)) {
      if (model.id.length <= 256) lines.push(lineOf(ourNames[id] ?? id, model))
    }
  }
  const keyOf = ({ host, id }: ModelsDevLine) => `${host}\n${id}`
  return lines.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).map((line) => JSON.stringify(line))
}

if (import.meta.main) {
  const [, , path = 'api.json', commit = '', day = ''] = process.argv
  const api: Api = JSON.parse(readFileSync(path, 'utf8'))
  const source = { source: 'https://models.dev, MIT, © 2025 models.dev', commit, day }
  stdout.write(`${JSON.stringify(source)}\n${convertModelsDev(api).join('\n')}\n`)
}
