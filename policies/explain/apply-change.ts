import { Facts } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { namesOfPath } from './fact-values.ts'

const metadataPath = 'request.metadata.'

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function namesOf(facts: Facts, path: string): string[] {
  if (!path.startsWith(metadataPath)) return namesOfPath(facts, path)
  return ['request', 'metadata', path.slice(metadataPath.length)]
}

/** The value with another member somewhere below; undefined where the path leads through what is no object. */
function withMember(value: unknown, names: readonly string[], to: unknown): unknown {
  const [name, ...others] = names
  if (name === undefined || !isObject(value)) return undefined
  const { [name]: before, ...rest } = value
  if (others.length === 0) return to === undefined ? rest : { ...value, [name]: to }
  const after = withMember(before, others, to)
  return after === undefined ? undefined : { ...value, [name]: after }
}

/** Facts with another value at a path; undefined where that is no facts/1 document any more. */
export function withFact(facts: Facts, path: string, to: unknown): Facts | undefined {
  const changed = withMember(facts, namesOf(facts, path), to)
  return fits(Facts, changed) ? changed : undefined
}
