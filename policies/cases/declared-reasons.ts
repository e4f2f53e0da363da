import type { AnyNode } from 'acorn'
import type { SourceFiles } from '../compile/built-version.ts'
import { DocumentError } from '../compile/source-document.ts'
import { apiName, readScope, type TsScope } from '../compile/ts-scope.ts'
import { parseTsSource, walk } from '../compile/ts-source.ts'
import type { LayerPolicy } from '../evaluation/layer.ts'
import type { CaseRun } from './case-run.ts'
import { codesOf } from './coverage.ts'

/** A code that a rule may give as its reason, and where it is written. */
export interface DeclaredReason {
  readonly rule: string
  readonly code: string
  readonly line: number
  readonly column: number
}
/** What a policy can come to, as far as its sources and its fixed effects tell. */
export interface DeclaredPolicy {
  readonly reasons: readonly DeclaredReason[]
  readonly rules: readonly { readonly id: string; readonly canThrow: boolean; readonly ownOnError: boolean }[]
}

function literalOf(node: AnyNode | undefined): string | undefined {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}

/** The code of `deny('CODE', …)` or `only(…, { code: 'CODE' })`. */
function codeOfCall(node: AnyNode, scope: TsScope): { code: string; node: AnyNode } | undefined {
  if (node.type !== 'CallExpression') return undefined
  const name = apiName(node.callee, scope)
  const [first, second] = node.arguments
  if (name === 'deny' && first !== undefined) {
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

/** Codes that stand in the rules of a TypeScript file, whether a rule always gives them or not. */
function reasonsInSource(file: string, text: string): DeclaredReason[] {
  const found: DeclaredReason[] = []
  try {
    const scope = readScope(parseTsSource(file, text))
    walk(scope.source.program, (node) => {
      if (node.type !== 'CallExpression' || apiName(node.callee, scope) !== 'rule') return true
      const rule = literalOf(node.arguments[0])
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

function declaredPolicy(
  compiled: CaseRun['compiled']['policies'][number],
  layer: LayerPolicy | undefined,
  files: SourceFiles,
): DeclaredPolicy {
  const isTs = compiled.file.endsWith('.ts')
  const reasons = isTs ? reasonsInSource(compiled.file, files.get(compiled.file) ?? '') : []
  for (const rule of layer?.rules ?? []) {
    const { line = 1, column = 1 } = compiled.rules.find(({ id }) => id === rule.id) ?? {}
    for (const code of (rule.effects ?? []).flatMap(codesOf)) {
      const isKnown = reasons.some((each) => each.rule === rule.id && each.code === code)
      if (!isKnown) reasons.push({ rule: rule.id, code, line, column })
    }
  }
  const known = new Set(compiled.rules.map(({ id }) => id))
  const once = reasons.filter(
    (reason, index) =>
      known.has(reason.rule) &&
      reasons.findIndex(({ rule, code }) => rule === reason.rule && code === reason.code) === index,
  )
  const rules = compiled.rules.map((rule, index) => ({
    id: rule.id,
    canThrow: rule.conditions.length > 0 || layer?.rules[index]?.effects === null,
    ownOnError: layer?.rules[index]?.onError !== undefined,
  }))
  return { reasons: once, rules }
}

/** What each policy of a version can come to, by id. */
export function declaredPolicies(run: CaseRun, environment: string): ReadonlyMap<string, DeclaredPolicy> {
  const layers = new Map(run.program(environment).policies.map((policy) => [policy.id, policy]))
  const { policies } = run.compiled
  return new Map(
    policies.map((policy) => [policy.id, declaredPolicy(policy, layers.get(policy.id), run.files)]),
  )
}
