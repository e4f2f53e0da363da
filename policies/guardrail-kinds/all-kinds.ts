import {
  type GuardrailScan,
  type GuardrailScanKind,
  type GuardrailScanOptions,
  guardrailScanNames,
} from '@signalbox/sdk/contract'
import type { GuardrailKind, ReadyScan, StreamHold } from './guardrail-kind.ts'
import { jsonSchema } from './json-schema.ts'
import { judge } from './judge.ts'
import { length } from './length.ts'
import { moderation } from './moderation.ts'
import { models, tools } from './permission.ts'
import { regex } from './regex.ts'
import { terms } from './terms.ts'
import { urls } from './urls.ts'
import { webhook } from './webhook.ts'

type Kinds = { readonly [Kind in GuardrailScanKind]: GuardrailKind<Kind> }
const kinds: Kinds = { regex, terms, jsonSchema, length, urls, models, tools, judge, moderation, webhook }

/** The one kind that a scan is of. */
export function kindOfScan(scan: GuardrailScan): GuardrailScanKind {
  const found = guardrailScanNames.find((name) => scan[name] !== undefined)
  if (found === undefined) throw new RangeError('a scan of no kind')
  return found
}

/** A scan's kind and options, which belong together. */
function withKind<Result>(
  scan: GuardrailScan,
  use: <Kind extends GuardrailScanKind>(
    kind: GuardrailKind<Kind>,
    options: GuardrailScanOptions<Kind>,
  ) => Result,
): Result {
  const name = kindOfScan(scan)
  const of = <Kind extends GuardrailScanKind>(kind: Kind): Result =>
    use<Kind>(kinds[kind], scan[kind] as GuardrailScanOptions<Kind>)
  return of(name)
}

/** What is wrong with a scan that fits the schema; undefined for nothing. */
export function checkScan(scan: GuardrailScan): string | undefined {
  return withKind(scan, (kind, options) => kind.check(options))
}

/** How a scan can look at a text that still comes; undefined where it needs the whole. */
export function holdOfScan(scan: GuardrailScan): StreamHold | undefined {
  return withKind(scan, (kind, options) => kind.hold(options))
}

/** Makes a scan ready; undefined where others are asked. */
export function createScan(scan: GuardrailScan): ReadyScan | undefined {
  return withKind(scan, (kind, options) => kind.create?.(options))
}
