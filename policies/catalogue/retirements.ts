import type { CatalogueModel } from '@signalbox/sdk/contract'

/** Models that their vendor has announced to stop, on one day, with what it says to use instead. */
interface Retirement {
  readonly provider: string
  /** First day on which calls are refused, as the vendor announced it. */
  readonly retires: string
  readonly successor?: string
  readonly ids: readonly string[]
}

/**
 * Announced ends of models, kept by hand: no price package has them. Sources, read 2026-11-22:
 * https://developers.openai.com/api/docs/deprecations and
 * https://platform.claude.com/docs/en/about-claude/model-deprecations. Snapshots end with the name that means them.
 */
const retirements: readonly Retirement[] = [
  {
    provider: 'openai',
    retires: '2026-07-23',
    ids: ['gpt-5-chat-latest', 'gpt-5.1-chat-latest', 'gpt-5-codex', 'gpt-5.1-codex', 'gpt-5.1-codex-max'],
  },
  {
    provider: 'openai',
    retires: '2026-07-23',
    ids: ['gpt-5.1-codex-mini', 'gpt-5.2-codex', 'computer-use-preview', 'o3-deep-research'],
  },
  { provider: 'openai', retires: '2026-07-23', ids: ['o4-mini-deep-research', 'gpt-4o-search-preview'] },
  {
    provider: 'openai',
    retires: '2026-08-10',
    successor: 'gpt-5.5',
    ids: ['gpt-5.2-chat-latest', 'gpt-5.3-chat-latest'],
  },
  {
    provider: 'openai',
    retires: '2026-10-23',
    successor: 'gpt-5.6-terra',
    ids: ['gpt-3.5-turbo', 'gpt-3.5-turbo-0125', 'o4-mini'],
  },
  {
    provider: 'openai',
    retires: '2026-10-23',
    successor: 'gpt-5.6-sol',
    ids: ['gpt-4', 'gpt-4-0613', 'gpt-4-turbo', 'gpt-4o-2024-05-13', 'o1', 'o1-pro', 'o3-mini'],
  },
  { provider: 'openai', retires: '2026-10-23', ids: ['gpt-4.1-nano', 'gpt-image-1'] },
  { provider: 'openai', retires: '2026-12-01', ids: ['gpt-image-1-mini', 'gpt-image-1.5'] },
  { provider: 'openai', retires: '2026-12-11', successor: 'gpt-6.1-sol', ids: ['gpt-5'] },
  { provider: 'openai', retires: '2026-12-11', successor: 'gpt-6.1-terra', ids: ['gpt-5-mini'] },
  { provider: 'openai', retires: '2026-12-11', ids: ['gpt-5-nano', 'gpt-5-pro', 'o3', 'o3-pro'] },
  {
    provider: 'openai',
    retires: '2027-01-14',
    successor: 'gpt-6-luna',
    ids: ['gpt-4o', 'gpt-4o-mini', 'gpt-4.1', 'gpt-4.1-mini'],
  },
  { provider: 'openai', retires: '2027-04-01', ids: ['gpt-5.1'] },
  { provider: 'anthropic', retires: '2026-01-05', ids: ['claude-3-opus-20240229'] },
  {
    provider: 'anthropic',
    retires: '2025-07-21',
    ids: ['claude-2.0', 'claude-2.1', 'claude-3-sonnet-20240229'],
  },
  {
    provider: 'anthropic',
    retires: '2026-06-15',
    successor: 'claude-sonnet-4-6',
    ids: ['claude-sonnet-4-0'],
  },
  { provider: 'anthropic', retires: '2026-06-15', successor: 'claude-opus-4-8', ids: ['claude-opus-4-0'] },
  { provider: 'anthropic', retires: '2026-08-05', successor: 'claude-opus-4-8', ids: ['claude-opus-4-1'] },
]

const keyOf = (provider: string, id: string): string => `${provider}/${id.toLowerCase()}`
const byModel = new Map(
  retirements.flatMap((each) => each.ids.map((id) => [keyOf(each.provider, id), each] as const)),
)

/** The model with the day of its end and its successor, where its vendor has announced one. */
export function withRetirement(model: CatalogueModel): CatalogueModel {
  const names = [model.id, ...model.spellings]
  const found = names
    .map((name) => byModel.get(keyOf(model.provider, name)))
    .find((each) => each !== undefined)
  if (found === undefined) return model
  const { retires, successor } = found
  return { ...model, deprecated: true, retires, ...(successor !== undefined && { successor }) }
}
