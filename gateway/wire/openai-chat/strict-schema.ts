import { asArray, asObject } from '../json-value.ts'

/** A schema is looked into this deep; a deeper one counts as not strict. */
const depthMax = 64

/**
 * Whether OpenAI would take a schema as `strict`: every object closed, and every property required. Source:
 * guide to structured outputs.
 */
export function isStrictSchema(schema: unknown, depth = 0): boolean {
  const node = asObject(schema)
  if (node === undefined || depth > depthMax) return false
  const inside = [
    ...Object.values(asObject(node.properties) ?? {}),
    ...Object.values(asObject(node.$defs) ?? {}),
    ...Object.values(asObject(node.definitions) ?? {}),
    ...asArray(node.anyOf),
    ...(node.items === undefined ? [] : [node.items]),
  ]
  if (node.properties !== undefined || node.type === 'object') {
    const required = new Set(asArray(node.required))
    const names = Object.keys(asObject(node.properties) ?? {})
    if (node.additionalProperties !== false || !names.every((name) => required.has(name))) return false
  }
  return inside.every((item) => isStrictSchema(item, depth + 1))
}
