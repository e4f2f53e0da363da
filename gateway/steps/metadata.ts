import type { IncomingHttpHeaders } from 'node:http'
import { type MetadataValue, Refusal } from '@signalbox/sdk/contract'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Static } from 'typebox'
import type { ReleasedVersion } from '../snapshot.ts'

export type Metadata = Readonly<Record<string, Static<typeof MetadataValue>>>

/** What a caller says of his call beside the call itself. */
export interface Claims {
  /** Declared properties that fit their schemas. */
  readonly metadata: Metadata
  /** Names of members that no workspace declares. */
  readonly undeclared: readonly string[]
  /** Metadata member `route`: what the caller is doing, in his own words. */
  readonly route: string
}

/** Undeclared names that are recorded; the rest is only counted by the caller's own mistake. */
const undeclaredMax = 64
const nameLengthMax = 64
const valueLengthMax = 256
const headerBytesMax = 16_384
const beyondAscii = /[\x80-\xff]/

interface Declared {
  readonly schema: Readonly<Record<string, unknown>>
  readonly validate: ValidateFunction
}
const compiled = new WeakMap<ReleasedVersion['compiled'], ReadonlyMap<string, Declared>>()

/** The metadata schemas of a workspace, compiled once for as long as it is released. */
function declaredBy(workspace: ReleasedVersion['compiled']): ReadonlyMap<string, Declared> {
  let known = compiled.get(workspace)
  if (known === undefined) {
    // An instance of its own, so that it goes away with the release.
    const ajv = new Ajv2020({ strict: false, logger: false })
    known = new Map(
      Object.entries(workspace.metadata).map(([name, schema]) => [
        name,
        { schema, validate: ajv.compile(schema) },
      ]),
    )
    compiled.set(workspace, known)
  }
  return known
}

function parseHeader(text: string): Readonly<Record<string, unknown>> {
  const refuse = (message: string): never => {
    throw new Refusal('metadata_invalid', { message, param: 'x-signalbox-metadata' })
  }
  if (text.length > headerBytesMax) return refuse('The header x-signalbox-metadata is too long.')
  let value: unknown
  try {
    // Node reads headers as Latin-1; clients write them in UTF-8.
    value = JSON.parse(beyondAscii.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text)
  } catch {
    return refuse('The header x-signalbox-metadata is not valid JSON.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse('The header x-signalbox-metadata must be a JSON object.')
  }
  return value as Record<string, unknown>
}

function describe(name: string, { schema, validate }: Declared): string {
  const error = validate.errors?.[0]
  if (error === undefined) return `metadata.${name} is not valid.`
  if (error.keyword === 'enum' && Array.isArray(schema.enum)) {
    return `metadata.${name} must be one of ${schema.enum.map(String).join(', ')}.`
  }
  return `metadata.${name} ${error.message ?? 'is not valid'}.`
}

function checked(name: string, value: unknown, declarations: readonly Declared[]): Metadata[string] {
  const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  if (!scalar || (typeof value === 'string' && value.length > valueLengthMax)) {
    const message = scalar
      ? `metadata.${name} must have at most ${valueLengthMax} characters.`
      : `metadata.${name} must be a string, a number or a boolean.`
    throw new Refusal('metadata_invalid', { message, param: `metadata.${name}` })
  }
  for (const declaration of declarations) {
    if (declaration.validate(value)) continue
    throw new Refusal('metadata_invalid', { message: describe(name, declaration), param: `metadata.${name}` })
  }
  return typeof value === 'string' ? value.toWellFormed() : value
}

/**
 * Reads the metadata of a call: the dialect's own first, then the header `x-signalbox-metadata`, which replaces
 * member by member. Declared properties are checked against the schema of each given workspace.
 * @throws Refusal `metadata_invalid` that names the member.
 */
export function readClaims(
  own: Readonly<Record<string, unknown>>,
  headers: IncomingHttpHeaders,
  versions: readonly ReleasedVersion[],
): Claims {
  const header = headers['x-signalbox-metadata']
  const all = header === undefined ? own : { ...own, ...parseHeader(String(header)) }
  const metadata: Record<string, Metadata[string]> = {}
  const undeclared: string[] = []
  // In the order of their names, so that facts come out canonical.
  for (const name of Object.keys(all).sort()) {
    const value = all[name]
    if (value === undefined || value === null) continue
    const declarations = versions.flatMap((version) => declaredBy(version.compiled).get(name) ?? [])
    if (declarations.length > 0) metadata[name] = checked(name, value, declarations)
    else if (name !== 'route' && undeclared.length < undeclaredMax) {
      undeclared.push(name.slice(0, nameLengthMax).toWellFormed())
    }
  }
  const route = all.route
  return { metadata, undeclared, route: typeof route === 'string' ? route : '' }
}
