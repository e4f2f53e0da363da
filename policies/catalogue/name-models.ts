import { type DataMatch, type DataModel, matches } from './price-data.ts'
import { samplesOf, withDashes } from './spelling-patterns.ts'
import type { Vendor } from './vendors.ts'

/** One model as callers name it: `id` is what the vendor takes, `spellings` mean exactly the same. */
export interface NamedModel {
  readonly id: string
  readonly spellings: readonly string[]
  readonly data: DataModel
}
/** Names that the data list for one model, and names that follow from them by rule. */
interface Draft {
  readonly data: DataModel
  readonly listed: readonly string[]
  readonly derived: readonly string[]
}

/** Names that the data list one by one. */
function equalNames(match: DataMatch): string[] {
  if ('equals' in match) return [match.equals]
  return 'or' in match ? match.or.flatMap(equalNames) : []
}

/** Beginnings that the data give for all names of a model. */
function beginnings(match: DataMatch): string[] {
  if ('starts_with' in match) return [match.starts_with]
  return 'or' in match ? match.or.flatMap(beginnings) : []
}

/**
 * Two names of one entry of the data mean the same model where these are equal. The data put models of the
 * same price into one entry (`gpt-5.2` and `gpt-5.2-codex`), so being listed together says nothing.
 */
function identityOf(vendor: string, name: string): string {
  const dashed = withDashes(name.toLowerCase())
  return vendor === 'anthropic' ? dashed.replace(/-0$/, '') : dashed
}

/** The name that the vendor itself takes: the data's id, else dashes at Anthropic and dots elsewhere. */
function vendorsName(vendor: string, draft: Draft): string {
  if (draft.listed.includes(draft.data.id)) return draft.data.id
  const ownStyle = (name: string): boolean => (vendor === 'anthropic') === (withDashes(name) === name)
  return draft.listed.find(ownStyle) ?? draft.listed[0] ?? draft.data.id
}

/**
 * Anthropic's family names, and each name with dots and with dashes: `claude-4.8-opus`, `claude-fable-5.1`.
 */
function anthropicNames(model: DataModel, listed: readonly string[]): string[] {
  const families = beginnings(model.match).filter((name) => /[a-z0-9]$/.test(name) && !/-20\d*$/.test(name))
  return [...listed, ...families].flatMap((name) => [
    name,
    name.replace(/(?<=-\d)-(?=\d(-|$))/, '.'),
    withDashes(name),
  ])
}

/** Snapshots that the data's own clauses take for this model and for no other. */
function snapshotPatterns(vendor: Vendor, names: readonly string[], models: readonly DataModel[]): string[] {
  const { snapshot } = vendor
  if (snapshot === undefined) return []
  const samples = samplesOf(snapshot)
  const isOwn = (name: string): boolean =>
    models.filter((model) => matches(model.match, vendor.name === 'anthropic' ? withDashes(name) : name))
      .length === 1
  return names
    .filter((name) => samples.every((sample) => isOwn(name + sample)))
    .map((name) => name + snapshot)
}

/** Names that follow by rule from an entry's own name. */
function derivedNames(
  vendor: Vendor,
  listed: readonly string[],
  model: DataModel,
  models: readonly DataModel[],
): readonly string[] {
  const names = vendor.name === 'anthropic' ? anthropicNames(model, listed) : listed
  const own = identityOf(vendor.name, model.id.replace(/-latest$/, ''))
  const bases = names.filter((name) => identityOf(vendor.name, name) === own)
  const years = beginnings(model.match).filter((name) => /-20\d\d$/.test(name))
  return [
    ...names,
    ...snapshotPatterns(vendor, [...new Set(bases)], models),
    ...years.map((name) => `${name}####`),
  ]
}

/** Splits an entry of the data into the models it stands for. */
function draftsOf(vendor: Vendor, model: DataModel, models: readonly DataModel[]): Draft[] {
  const groups = Map.groupBy(new Set([model.id, ...equalNames(model.match)]), (name) =>
    identityOf(vendor.name, name),
  )
  return [...groups.values()].map((listed) => ({
    data: model,
    listed,
    derived: listed.includes(model.id) ? derivedNames(vendor, listed, model, models) : [],
  }))
}

/**
 * Who may have a name: an id before a listed name, a listed name before one by rule; undefined where two
 * claim it.
 */
function ownersOf(drafts: readonly Draft[]): ReadonlyMap<string, Draft> {
  const owners = new Map<string, Draft>()
  const claims: readonly ((draft: Draft) => readonly string[])[] = [
    (draft) => draft.listed.filter((name) => name === draft.data.id),
    (draft) => draft.listed,
    (draft) => draft.derived,
  ]
  const disputed = new Set<string>()
  for (const claim of claims) {
    const claimed = new Map<string, Draft>()
    for (const draft of drafts) {
      for (const name of new Set(claim(draft).map((each) => each.toLowerCase()))) {
        if (owners.has(name) || disputed.has(name)) continue
        if (claimed.has(name)) disputed.add(name)
        claimed.set(name, draft)
      }
    }
    for (const [name, draft] of claimed) if (!disputed.has(name)) owners.set(name, draft)
  }
  return owners
}

/**
 * The models of a vendor with their names. A name belongs to exactly one model, whatever its case; a name
 * that two entries claim belongs to none.
 */
export function nameModels(vendor: Vendor, models: readonly DataModel[]): NamedModel[] {
  const drafts = models.flatMap((model) => draftsOf(vendor, model, models))
  const owners = ownersOf(drafts)
  return drafts.flatMap((draft) => {
    const names = [...draft.listed, ...draft.derived].filter(
      (name) => owners.get(name.toLowerCase()) === draft,
    )
    const id = vendorsName(vendor.name, {
      ...draft,
      listed: draft.listed.filter((name) => names.includes(name)),
    })
    if (!names.includes(id)) return []
    const spellings = new Map(names.map((name) => [name.toLowerCase(), name]))
    spellings.delete(id.toLowerCase())
    return [{ id, spellings: [...spellings.values()].sort(), data: draft.data }]
  })
}
