import type { CompiledGuardrail } from '@signalbox/sdk/contract'
import type { AnyNode } from 'acorn'
import type { SourceFiles } from '../compile/built-version.ts'
import { DocumentError } from '../compile/source-document.ts'
import { apiName, readScope, type TsScope } from '../compile/ts-scope.ts'
import { parseTsSource, walk } from '../compile/ts-source.ts'
import type { CaseRun } from './case-run.ts'
import { codesOf } from './coverage.ts'

/** A code that a rule may give as its reason, and where it is written. */
export interface DeclaredReason {
  readonly rule: string
  readonly code: string
  readonly line: number
  readonly column: number
}
/** What a policy or guardrail can come to, as far as its sources and its fixed effects tell. */
export interface Declared {
  readonly reasons: readonly DeclaredReason[]
  readonly rules: readonly { readonly id: string; readonly canThrow: boolean; readonly ownOnError: boolean }[]
}

function literalOf(node: AnyNode | undefined): string | undefined {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}

/** Builders whose first argument is a code. */
const saysCode = ['deny', 'block', 'refuse', 'redact', 'flag']

/** The code of `deny('CODE', …)` and the actions of guardrails, or of `only(…, { code: 'CODE' })`. */
function codeOfCall(node: AnyNode, scope: TsScope): { code: string; node: AnyNode } | undefined {
  if (node.type !== 'CallExpression') return undefined
  const name = apiName(node.callee, scope)
  const [first, second] = node.arguments
  if (saysCode.includes(name ?? '') && first !== undefined) {
    const code = literalOf(first)
    return code === undefined ? undefined : { code, node: first }
  }
  if (name !== 'only' || second?.type !== 'ObjectExpression') return undefined
  for (const property of second.properties) {
    if (property.type !== 'Property' || property.key.type !== 'Identifier' || property.key.name !== 'code')
      continue
    const code = literalOf(property.value)
    if (code !== undefined) return { code, node: property.value }
  }
  return undefined
}

/** Whether the options of a guardrail make it a rule itself. */
function isRule(options: AnyNode | undefined): boolean {
  if (options?.type !== 'ObjectExpression') return false
  return !options.properties.some(
    (each) => each.type === 'Property' && each.key.type === 'Identifier' && each.key.name === 'rules',
  )
}

/**
 * Codes that stand in the rules of a TypeScript file, whether a rule always gives them or not. A guardrail that is a
 * rule itself has the id `whole`.
 */
function reasonsInSource(file: string, text: string, whole: string): DeclaredReason[] {
  const found: DeclaredReason[] = []
  try {
    const scope = readScope(parseTsSource(file, text))
    walk(scope.source.program, (node) => {
      if (node.type !== 'CallExpression') return true
      const name = apiName(node.callee, scope)
      if (name !== 'rule' && !(name === 'guardrail' && isRule(node.arguments[1]))) return true
      const rule = name === 'rule' ? literalOf(node.arguments[0]) : whole
      if (rule === undefined) return true
      walk(node, (inner) => {
        const said = codeOfCall(inner, scope)
        if (said !== undefined) found.push({ rule, code: said.code, ...scope.source.at(said.node) })
        return true
      })
      return false
    })
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
  }
  return found
}

/** What is known of each rule beside its sources. */
interface KnownRule {
  readonly says: readonly unknown[] | null
  readonly ownOnError: boolean
}

function declaredOf(
  { id, file, rules }: Required<Pick<CompiledGuardrail, 'id' | 'file' | 'rules'>>,
  known: readonly KnownRule[],
  files: SourceFiles,
): Declared {
  const reasons = file.endsWith('.ts') ? reasonsInSource(file, files.get(file) ?? '', id) : []
  for (const [index, { id: rule, line, column }] of rules.entries()) {
    for (const code of (known[index]?.says ?? []).flatMap(codesOf)) {
      const isKnown = reasons.some((each) => each.rule === rule && each.code === code)
      if (!isKnown) reasons.push({ rule, code, line, column })
    }
  }
  const ids = new Set(rules.map((rule) => rule.id))
  const once = reasons.filter(
    (reason, index) =>
      ids.has(reason.rule) &&
      reasons.findIndex(({ rule, code }) => rule === reason.rule && code === reason.code) === index,
  )
  return {
    reasons: once,
    rules: rules.map((rule, index) => ({
      id: rule.id,
      canThrow: rule.conditions.length > 0 || known[index]?.says === null,
      ownOnError: known[index]?.ownOnError === true,
    })),
  }
}

/** What each policy and guardrail of a version can come to, by id. */
export interface DeclaredInVersion {
  readonly policies: ReadonlyMap<string, Declared>
  readonly guardrails: ReadonlyMap<string, Declared>
}

export function declaredIn(run: CaseRun, environment: string): DeclaredInVersion {
  const program = run.program(environment)
  const ofPolicies = new Map(
    program.policies.map(({ id, rules }) => [
      id,
      rules.map(({ effects, onError }) => ({ says: effects, ownOnError: onError !== undefined })),
    ]),
  )
  const ofGuardrails = new Map(program.guardrails.map(({ id, rules }) => [id, rules]))
  const { policies, guardrails } = run.compiled
  return {
    policies: new Map(
      policies.map((each) => [each.id, declaredOf(each, ofPolicies.get(each.id) ?? [], run.files)]),
    ),
    guardrails: new Map(
      guardrails.map(({ id, file, rules = [] }) => [
        id,
        declaredOf({ id, file, rules }, ofGuardrails.get(id) ?? [], run.files),
      ]),
    ),
  }
}
