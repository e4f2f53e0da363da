import { createHash } from 'node:crypto'

/** Longest name of a tool in Chat Completions; Messages takes twice as much, and agents use it. */
export const toolNameLengthMax = 64

/** A name that Chat Completions takes: long ones end in eight digits of their SHA-256, so that no two become one. */
export function shortToolName(name: string): string {
  if (name.length <= toolNameLengthMax) return name
  const digits = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${name.slice(0, toolNameLengthMax - 9)}_${digits}`
}

/** Finds the name that a call's own tools have for a short one. */
export function createToolNames(names: readonly string[]): (name: string) => string {
  const long = names.filter((name) => name.length > toolNameLengthMax)
  if (long.length === 0) return (name) => name
  const byShort = new Map(long.map((name) => [shortToolName(name), name]))
  return (name) => byShort.get(name) ?? name
}
