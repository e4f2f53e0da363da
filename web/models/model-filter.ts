import type { CatalogueModel } from '@signalbox/sdk'
import type { OfferedModel } from './offered-models.ts'

/** What is asked of models, as it stands in the address. */
export interface ModelFilter {
  /** Words that the name has to have. */
  readonly q: string
  readonly vendor: string
  /** A capability, or a kind of input. */
  readonly can: string
  readonly sort: string
  /** `all`: those too that no connection reaches. */
  readonly from: string
}
export const abilities = [
  'tools',
  'reasoning',
  'structuredOutput',
  'image',
  'pdf',
  'audio',
  'video',
  'free',
] as const
export const orders = ['yours first', 'name', 'input price', 'output price', 'context'] as const

/** The price of a unit below all tiers, in pico-dollars; undefined where it is not known. */
export function priceOf(model: CatalogueModel, unit: 'input' | 'output'): number | undefined {
  return model.prices?.[0]?.units[unit]
}

/** All that can be said of a model in a word. */
export function abilitiesOf({ capabilities, inputs, free }: CatalogueModel): string[] {
  const kinds = (inputs ?? []).filter((kind) => kind !== 'text')
  return [
    ...(capabilities ?? []).filter((each) => each !== 'temperature'),
    ...kinds,
    ...(free === true ? ['free'] : []),
  ]
}

const unknownLast = (value: number | undefined): number => value ?? Number.POSITIVE_INFINITY
const comparisons: Readonly<Record<string, (a: CatalogueModel, b: CatalogueModel) => number>> = {
  'input price': (a, b) => unknownLast(priceOf(a, 'input')) - unknownLast(priceOf(b, 'input')) || 0,
  'output price': (a, b) => unknownLast(priceOf(a, 'output')) - unknownLast(priceOf(b, 'output')) || 0,
  context: (a, b) => (b.contextTokens ?? 0) - (a.contextTokens ?? 0),
  name: (a, b) => (a.name ?? a.id).localeCompare(b.name ?? b.id),
}

/** The models that fit, in the order that is asked for. */
export function filterModels(models: readonly OfferedModel[], filter: ModelFilter): OfferedModel[] {
  const words = filter.q.toLowerCase().split(/\s+/).filter(Boolean)
  const found = models.filter(({ key, model, aliases, connections }) => {
    if (filter.from !== 'all' && connections.length === 0) return false
    if (filter.vendor !== '' && model.provider !== filter.vendor) return false
    if (filter.can !== '' && !abilitiesOf(model).includes(filter.can)) return false
    const text = [key, model.name ?? '', ...aliases, ...model.spellings].join(' ').toLowerCase()
    return words.every((word) => text.includes(word))
  })
  const compare = comparisons[filter.sort]
  return compare === undefined ? found : found.toSorted((a, b) => compare(a.model, b.model))
}

/**
 * What a call costs by the list, in pico-dollars: the last tier whose condition holds counts for the whole call.
 * Undefined where a price is not known.
 */
export function costOfCall(model: CatalogueModel, input: number, output: number): number | undefined {
  const units = model.prices?.filter(({ inputOver = -1 }) => input > inputOver).at(-1)?.units
  if (units?.input === undefined || units.output === undefined) return undefined
  return input * units.input + output * units.output
}

/** Pico-dollars per unit as dollars per million: `$2.50`. */
export function formatPerMillion(picoUsd: number | undefined): string {
  if (picoUsd === undefined) return '–'
  if (picoUsd === 0) return '$0'
  const [whole = '0', fraction = ''] = String(picoUsd / 1e6).split('.')
  return `$${whole}.${fraction.padEnd(2, '0')}`
}
