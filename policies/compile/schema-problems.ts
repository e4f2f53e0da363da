import { compileSchema } from '@signalbox/sdk/node'
import type { ErrorObject } from 'ajv'
import type { TSchema } from 'typebox'
import { didYouMean, nearestName } from './near-name.ts'
import type { Finding, ProblemList } from './problem-list.ts'
import type { DocumentPath, SourceDocument } from './source-document.ts'

/** Something of a document that breaks its schema. `part`: whether its name or its value is at fault. */
export interface SchemaFinding extends Finding {
  readonly path: DocumentPath
  readonly part: 'key' | 'value'
}

function partsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The schema object that an error is about: its `schemaPath` without the keyword at the end. */
function schemaAt(root: TSchema, schemaPath: string): Record<string, unknown> {
  let schema: unknown = root
  if (!schemaPath.startsWith('#')) return {}
  for (const part of partsOf(schemaPath).slice(0, -1)) schema = Object(schema)[part]
  return Object(schema)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`
}

function messageOf(error: ErrorObject, root: TSchema, value: unknown): string {
  const { keyword, params } = error
  if (keyword === 'enum') {
    const allowed: unknown[] = params.allowedValues
    return `must be one of ${allowed.map(String).join(', ')}${didYouMean(String(value), allowed.map(String))}`
  }
  if (keyword === 'const') return `must be ${JSON.stringify(params.allowedValue)}`
  if (keyword === 'required') return `needs the member "${params.missingProperty}"`
  if (keyword === 'type') return `must be ${String(params.type)}, not ${kindOf(value)}`
  if (keyword === 'pattern' || keyword === 'propertyNames') {
    const description = schemaAt(root, error.schemaPath).description
    const what = typeof description === 'string' ? `${description.replace(/\.$/, '')}, ` : ''
    const wanted = `${what}${params.pattern ?? ''}`
    return `${JSON.stringify(value)} is not allowed here (${wanted})`
  }
  return limitText(keyword, params, value) ?? error.message ?? 'is not valid'
}

const least: Readonly<Record<string, string>> = {
  minItems: 'entry',
  minProperties: 'member',
  minLength: 'character',
}
const most: Readonly<Record<string, string>> = {
  maxItems: 'entry',
  maxProperties: 'member',
  maxLength: 'character',
}
const bounds: Readonly<Record<string, string>> = {
  minimum: 'must be at least',
  maximum: 'must be at most',
  exclusiveMinimum: 'must be more than',
  exclusiveMaximum: 'must be less than',
}
const counted = (count: unknown, what: string): string =>
  `${String(count)} ${count === 1 ? what : what === 'entry' ? 'entries' : `${what}s`}`

/** What a limit of a schema asks for; undefined for what is no limit. */
function limitText(keyword: string, { limit }: ErrorObject['params'], value: unknown): string | undefined {
  if (least[keyword] !== undefined) return `needs at least ${counted(limit, least[keyword])}`
  if (most[keyword] !== undefined) return `has at most ${counted(limit, most[keyword])}`
  if (keyword === 'uniqueItems') return 'has the same entry twice'
  return bounds[keyword] === undefined
    ? undefined
    : `${bounds[keyword]} ${String(limit)}, not ${String(value)}`
}

/** How a value is called: its name, and in a list also its place. */
function nameOf(path: readonly string[]): string | undefined {
  const at = path.findLastIndex((part) => !/^\d+$/.test(part))
  if (at === -1) return undefined
  return `${path[at]}${path
    .slice(at + 1)
    .map((index) => `[${index}]`)
    .join('')}`
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, part) => Object(inner)[part], value)
}

function findingOf(error: ErrorObject, schema: TSchema, value: unknown): SchemaFinding {
  const path = partsOf(error.instancePath)
  if (error.keyword === 'additionalProperties') {
    const name = String(error.params.additionalProperty)
    const inner = schemaAt(schema, error.schemaPath)
    const known = Object.keys(Object(inner.properties))
    const open = Object.keys(Object(inner.patternProperties)).length > 0
    const message = open
      ? `"${name}" is not a valid name`
      : `unknown member "${name}"${didYouMean(name, known)}`
    return { code: open ? 'schema' : 'unknown_member', path: [...path, name], part: 'key', message }
  }
  const subject = nameOf(path)
  const message = messageOf(error, schema, valueAt(value, path))
  const named = subject === undefined ? message : `"${subject}" ${message}`
  return { code: 'schema', path, part: 'value', message: named }
}

/** All that is wrong with a value. Of alternatives only what the best fitting one misses would help; see callers. */
export function schemaFindings(schema: TSchema, value: unknown): SchemaFinding[] {
  const validate = compileSchema(schema)
  if (validate(value)) return []
  const errors = (validate.errors ?? []).filter((error) => error.keyword !== 'anyOf')
  const misspelt = errors.flatMap((error) => misspeltMember(error, schema))
  return errors
    .filter(({ keyword, instancePath, params }) => {
      const missing = `${instancePath} ${params.missingProperty}`
      return keyword !== 'required' || !misspelt.includes(missing)
    })
    .map((error) => findingOf(error, schema, value))
}

/** The member that an unknown one was meant to be: that it is missing need not be told too. */
function misspeltMember(error: ErrorObject, schema: TSchema): string[] {
  if (error.keyword !== 'additionalProperties') return []
  const known = Object.keys(Object(schemaAt(schema, error.schemaPath).properties))
  const meant = nearestName(String(error.params.additionalProperty), known)
  return meant === undefined ? [] : [`${error.instancePath} ${meant}`]
}

/** Checks a part of a document and reports what is wrong. Returns whether it fits. */
export function reportSchemaProblems(
  schema: TSchema,
  document: SourceDocument,
  problems: ProblemList,
  part: { path: DocumentPath; value: unknown } = { path: [], value: document.value },
): boolean {
  const findings = schemaFindings(schema, part.value)
  for (const finding of findings) {
    document.report(problems, [...part.path, ...finding.path], finding, finding.part)
  }
  return findings.length === 0
}
