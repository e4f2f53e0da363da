import * as contract from '../contract/index.ts'
import * as access from '../contract/operations/access.ts'
import * as keys from '../contract/operations/keys.ts'
import * as records from '../contract/operations/records.ts'
import * as status from '../contract/operations/status.ts'
import * as tokens from '../contract/operations/tokens.ts'
import * as tree from '../contract/operations/tree.ts'
import * as users from '../contract/operations/users.ts'
import * as versions from '../contract/operations/versions.ts'

export type JsonSchema = { readonly [member: string]: unknown }

export function isSchema(value: unknown): value is JsonSchema {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return 'type' in value || 'anyOf' in value || 'enum' in value || '$ref' in value || 'const' in value
}

/** Schemas below this size read better where they stand. */
const namedSizeMin = 120

/** The contract's schemas by name, found again by content: the same schema under two names keeps the first. */
export class NamedSchemas {
  readonly #nameOf = new Map<string, string>()
  readonly #schemas = new Map<string, JsonSchema>()

  constructor() {
    const exported = {
      ...access,
      ...tokens,
      ...users,
      ...tree,
      ...keys,
      ...versions,
      ...records,
      ...status,
      ...contract,
    }
    for (const [name, value] of Object.entries(exported)) {
      if (!/^[A-Z]/.test(name) || !isSchema(value) || !('properties' in value || 'anyOf' in value)) continue
      const text = JSON.stringify(value)
      if (text.length < namedSizeMin || this.#nameOf.has(text)) continue
      const shown = name === 'PlanNodeDefinition' ? 'PlanNode' : name
      this.#nameOf.set(text, shown)
      this.#schemas.set(shown, value)
    }
  }

  /** The name of a schema; optional members carry a marker that does not change what they are. */
  find(schema: JsonSchema): string | undefined {
    if (typeof schema.$ref === 'string') return schema.$ref
    return this.#nameOf.get(JSON.stringify(schema))
  }

  entries(): [string, JsonSchema][] {
    return [...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1))
  }
}
