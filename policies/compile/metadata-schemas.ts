import { compileForeignSchema } from '@signalbox/sdk/node'
import type { MetadataSchemas } from './fact-schemas.ts'
import { didYouMean } from './near-name.ts'
import type { ProblemList } from './problem-list.ts'
import type { SourceDocument } from './source-document.ts'

/** Keywords of JSON Schema that a metadata property or a prompt variable may use: those of scalars, in linear time. */
const keywords = [
  ...['type', 'enum', 'const', 'description', 'title', 'examples'],
  ...['minLength', 'maxLength', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
]
const scalarTypes = ['string', 'number', 'integer', 'boolean']

function isScalarType(type: unknown): boolean {
  return [type].flat().every((each) => scalarTypes.some((scalar) => scalar === each))
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

/** What is wrong with the schema of a scalar, with the member it stands in. */
export function scalarSchemaFinding(
  schema: Readonly<Record<string, unknown>>,
): { member?: string; message: string } | undefined {
  const unknown = Object.keys(schema).find((keyword) => !keywords.includes(keyword))
  if (unknown === 'pattern') {
    const message = 'regular expressions are not supported here: they may take time without end'
    return { member: unknown, message }
  }
  if (unknown !== undefined) {
    return { member: unknown, message: `unknown member "${unknown}"${didYouMean(unknown, keywords)}` }
  }
  if (schema.type !== undefined && !isScalarType(schema.type)) {
    return {
      member: 'type',
      message: `"type" must be one of ${scalarTypes.join(', ')}${didYouMean(String(schema.type), scalarTypes)}`,
    }
  }
  const values: unknown = schema.enum ?? []
  if (!Array.isArray(values) || !values.every(isScalar)) {
    return { member: 'enum', message: '"enum" must be a list of strings, numbers or booleans' }
  }
  try {
    compileForeignSchema(schema)
    return undefined
  } catch (error) {
    return { message: `not a valid JSON Schema: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/**
 * Checks schemas by name, as `metadata` of `signalbox.yaml` and `variables` of a prompt hold them. Returns those that
 * are good.
 */
export function checkPropertySchemas(
  document: SourceDocument,
  member: string,
  problems: ProblemList,
): MetadataSchemas {
  const schemas: Record<string, unknown> = Object(Object(document.value)[member])
  const good: Record<string, MetadataSchemas[string]> = {}
  for (const [name, schema] of Object.entries(schemas)) {
    if (name in Object.prototype) {
      const message = `"${name}" is a name of JavaScript's own and cannot be used`
      document.report(problems, [member, name], { code: 'reserved_name', message }, 'key')
      continue
    }
    const finding = scalarSchemaFinding(Object(schema))
    if (finding === undefined) good[name] = Object(schema)
    else {
      const path = finding.member === undefined ? [member, name] : [member, name, finding.member]
      document.report(problems, path, { code: 'property_schema', message: finding.message }, 'key')
    }
  }
  return good
}
