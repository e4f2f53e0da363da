import { parse } from 'yaml'

/** The TypeScript type of a metadata property's JSON Schema: policies read scalars only. */
function typeOfSchema(schema: unknown): string {
  const any = 'string | number | boolean'
  if (typeof schema !== 'object' || schema === null) return any
  const { type, enum: values, const: value } = schema as { type?: unknown; enum?: unknown; const?: unknown }
  if (Array.isArray(values)) {
    const literals = values.filter((each) => ['string', 'number', 'boolean'].includes(typeof each))
    return literals.length > 0 ? literals.map((each) => JSON.stringify(each)).join(' | ') : 'never'
  }
  if (value !== undefined) return JSON.stringify(value)
  const names: Readonly<Record<string, string>> = {
    string: 'string',
    integer: 'number',
    number: 'number',
    boolean: 'boolean',
  }
  const types = (Array.isArray(type) ? type : [type]).map((each) => names[String(each)])
  const known = [...new Set(types.filter((each) => each !== undefined))]
  return known.length > 0 ? known.join(' | ') : any
}

/** Metadata of `signalbox.yaml`; nothing where the file is broken, which the compiler reports. */
function metadataOf(workspaceFile: string): Readonly<Record<string, unknown>> {
  try {
    const { metadata } = (parse(workspaceFile, { maxAliasCount: 100 }) ?? {}) as { metadata?: unknown }
    return typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
      ? { ...metadata }
      : {}
  } catch {
    return {}
  }
}

/**
 * Source of a module that gives the facts of one workspace: those of `base`, with the metadata that its
 * `signalbox.yaml` declares as optional members, so that a misspelt name or value does not compile.
 */
export function factsModule(workspaceFile: string, base: string): string {
  const members = Object.entries(metadataOf(workspaceFile)).map(
    ([name, schema]) => `  readonly ${JSON.stringify(name)}?: ${typeOfSchema(schema)}`,
  )
  return [
    `import type { Facts as Base } from "${base}"`,
    `export type * from "${base}"`,
    'export interface Metadata {',
    ...members,
    '}',
    "export interface Facts extends Omit<Base, 'request'> {",
    "  readonly request: Omit<Base['request'], 'metadata'> & { readonly metadata: Metadata }",
    '}',
    '',
  ].join('\n')
}
