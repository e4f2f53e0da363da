import { type KeyRow, type KeyScopes, type Operation, Refusal } from '@signalbox/sdk/contract'
import { AddressRanges } from '@signalbox/sdk/node'
import type { Claims } from './steps/metadata.ts'
import type { ResolvedModel } from './steps/resolve-model.ts'

/** A key's scopes, ready to be asked. */
interface Compiled {
  readonly addresses: AddressRanges | undefined
  readonly operations: ReadonlySet<Operation> | undefined
  readonly requiredMetadata: readonly string[]
  readonly names: ReadonlySet<string> | undefined
  /** What stands before a `*`. */
  readonly prefixes: readonly string[]
}

// Keys of a state that have the same scopes share one object, so this is worked out once for all of them.
const compiled = new WeakMap<KeyScopes, Compiled>()

function compile(scopes: KeyScopes): Compiled {
  const known = compiled.get(scopes)
  if (known !== undefined) return known
  const { ipRanges, operations, requiredMetadata = [], models } = scopes
  const made: Compiled = {
    addresses: ipRanges === undefined ? undefined : new AddressRanges(ipRanges),
    operations: operations === undefined ? undefined : new Set(operations),
    requiredMetadata,
    names: models === undefined ? undefined : new Set(models.filter((each) => !each.endsWith('*'))),
    prefixes: (models ?? []).filter((each) => each.endsWith('*')).map((each) => each.slice(0, -1)),
  }
  compiled.set(scopes, made)
  return made
}

const asked = ({ scopes }: KeyRow): Compiled | undefined =>
  scopes === undefined ? undefined : compile(scopes)

/** @throws Refusal `forbidden` where a key may not be used from an address. */
export function checkAddress(key: KeyRow, address: string): void {
  const addresses = asked(key)?.addresses
  if (addresses === undefined || addresses.has(address)) return
  throw new Refusal('forbidden', {
    message: 'This key may not be used from this address.',
    detail: `the key ${key.id} was used from ${address}`,
  })
}

/** Counting tokens generates nothing: it belongs to `chat`. @throws Refusal `forbidden`. */
export function checkOperation(key: KeyRow, operation: Operation): void {
  const operations = asked(key)?.operations
  if (operations === undefined || operations.has(operation)) return
  if (operation === 'countTokens' && operations.has('chat')) return
  throw new Refusal('forbidden', {
    message: `This key may not be used for ${operation}, only for ${[...operations].join(', ')}.`,
  })
}

function isNamed({ names, prefixes }: Compiled, name: string): boolean {
  return names?.has(name) === true || prefixes.some((prefix) => name.startsWith(prefix))
}

/**
 * Whether a key may ask for a model: by the alias that it asked for, or by the one target that the name means. What
 * policies make of an alias is theirs.
 */
export function mayUseModel(key: KeyRow, model: Pick<ResolvedModel, 'alias' | 'targets'>): boolean {
  const scope = asked(key)
  if (scope?.names === undefined) return true
  if (model.alias !== undefined) return isNamed(scope, model.alias)
  return model.targets.length > 0 && model.targets.every((target) => isNamed(scope, target.name))
}

/** Whether a name of the list of models is one that a key may ask for. */
export function mayUseName(key: KeyRow, name: string): boolean {
  const scope = asked(key)
  return scope?.names === undefined || isNamed(scope, name)
}

/** @throws Refusal `forbidden` that names the model as the caller did. */
export function checkModel(key: KeyRow, model: ResolvedModel): void {
  if (mayUseModel(key, model)) return
  const name = model.requested.slice(0, 80).toWellFormed()
  throw new Refusal('forbidden', { message: `This key may not use the model "${name}".`, param: 'model' })
}

/**
 * What no workspace declares counts too: it is recorded.
 * @throws Refusal `metadata_invalid` that names what is missing.
 */
export function checkMetadata(
  key: KeyRow,
  { metadata, undeclared }: Pick<Claims, 'metadata' | 'undeclared'>,
): void {
  const isThere = (name: string): boolean => metadata[name] !== undefined || undeclared.includes(name)
  const missing = asked(key)?.requiredMetadata.filter((name) => !isThere(name)) ?? []
  if (missing.length === 0) return
  throw new Refusal('metadata_invalid', {
    message: `This key needs metadata with ${missing.map((name) => `"${name}"`).join(', ')}.`,
    param: `metadata.${missing[0] ?? ''}`,
  })
}
