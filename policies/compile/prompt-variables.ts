import { compileForeignSchema } from '@signalbox/sdk/node'
import { variableProblem } from '../prompts/prompt-variables.ts'
import { scalarSchemaFinding } from './metadata-schemas.ts'
import type { ProblemList } from './problem-list.ts'
import type { DocumentPath, SourceDocument } from './source-document.ts'

const listKeywords = ['type', 'items', 'minItems', 'maxItems', 'description', 'title', 'examples']

interface VariableFinding {
  readonly path: DocumentPath
  readonly message: string
}

function asVariable(
  path: DocumentPath,
  finding: { member?: string; message: string } | undefined,
): VariableFinding[] {
  if (finding === undefined) return []
  const { member, message } = finding
  return [{ path: member === undefined ? path : [...path, member], message }]
}

function listFindings(schema: Readonly<Record<string, unknown>>): VariableFinding[] {
  const unknown = Object.keys(schema).find((keyword) => !listKeywords.includes(keyword))
  if (unknown !== undefined) {
    return [
      {
        path: [unknown],
        message: `unknown member "${unknown}" of a list; there is ${listKeywords.join(', ')}`,
      },
    ]
  }
  const { items } = schema
  if (typeof items !== 'object' || items === null || Array.isArray(items)) {
    return [{ path: ['items'], message: 'a list needs "items", the schema of one member: { type: string }' }]
  }
  const inner = asVariable(['items'], scalarSchemaFinding(Object(items)))
  if (inner.length > 0) return inner
  try {
    compileForeignSchema(schema)
    return []
  } catch (error) {
    return [
      {
        path: [],
        message: `not a valid JSON Schema: ${error instanceof Error ? error.message : String(error)}`,
      },
    ]
  }
}

/** What is wrong with one declared variable. */
function findingsIn(name: string, declared: Readonly<Record<string, unknown>>): VariableFinding[] {
  const { required = true, default: standard, ...schema } = declared
  const found = schema.type === 'array' ? listFindings(schema) : asVariable([], scalarSchemaFinding(schema))
  if (found.length > 0) return found
  if (typeof required !== 'boolean')
    return [{ path: ['required'], message: '"required" must be true or false' }]
  if (!('default' in declared)) return []
  if (declared.required === true) {
    return [{ path: ['required'], message: 'a variable with a "default" can be left out: remove "required"' }]
  }
  const wrong = variableProblem({ [name]: schema }, { [name]: standard })
  if (wrong === undefined) return []
  return [
    { path: ['default'], message: `"default" is no value of the variable: ${JSON.stringify(standard)}` },
  ]
}

/** Checks `variables` of a prompt: scalars or lists of scalars. Returns those that are good, as they are written. */
export function checkPromptVariables(
  document: SourceDocument,
  problems: ProblemList,
): Record<string, Readonly<Record<string, unknown>>> {
  const declared: Record<string, unknown> = Object(Object(document.value).variables)
  const good: Record<string, Readonly<Record<string, unknown>>> = {}
  for (const [name, value] of Object.entries(declared)) {
    const path = ['variables', name]
    if (name in Object.prototype) {
      const message = `"${name}" is a name of JavaScript's own and cannot be used`
      document.report(problems, path, { code: 'reserved_name', message }, 'key')
      continue
    }
    const findings = findingsIn(name, Object(value))
    for (const finding of findings) {
      const place = [...path, ...finding.path]
      document.report(problems, place, { code: 'property_schema', message: finding.message }, 'key')
    }
    if (findings.length === 0) good[name] = Object(value)
  }
  return good
}
