import type { Effect, GuardrailAction, OnError, PolicyKind } from '@signalbox/sdk/contract'
import type { Params } from './condition.ts'
import type { SourceDocument } from './source-document.ts'
import { encodeSourceMap, type Mapping } from './source-map.ts'
import type { Position } from './text-position.ts'

/** A rule of a JSON policy, ready to be written as code. */
export interface JsonRule {
  readonly id: string
  readonly site: string
  readonly conditions: number
  /** JavaScript over `f`; null where the rule always holds. */
  readonly when: string | null
  readonly effects: readonly (Effect | GuardrailAction)[]
  /** JavaScript for the members of a `use` that come from facts; null where none does. */
  readonly useCode: string | null
  readonly onError: OnError | undefined
  readonly position: Position
}
export interface JsonPolicyParts {
  readonly kind: PolicyKind | 'guardrail'
  readonly id: string
  readonly site: string
  readonly header: object
  readonly params: Params
  readonly rules: readonly JsonRule[]
}

/** What code made by the compiler imports beside what authors import. */
export const runtimeImports =
  'import{at as __at,paramValue as __param,pending as __pending,trace as __trace}from"@signalbox/policies/runtime"'

function thenCode({ effects, useCode }: JsonRule): string {
  const [first] = effects
  if (useCode === null || first === undefined || !('use' in first)) return `()=>(${JSON.stringify(effects)})`
  return `(f)=>[{use:{...${JSON.stringify(first.use)},${useCode}}}]`
}

function ruleCode(rule: JsonRule): string {
  const when = rule.when === null ? '' : `when:(f)=>${rule.when},`
  const onError = rule.onError === undefined ? '' : `,onError:${JSON.stringify(rule.onError)}`
  const fixed = rule.useCode === null
  const at = `${JSON.stringify(rule.site)},${rule.conditions},${fixed}`
  return `rule(${JSON.stringify(rule.id)},__at(${at},{${when}then:${thenCode(rule)}${onError}})),`
}

/** The file's params, declared as authors of TypeScript declare them. */
function paramCode(params: Params): string {
  return Object.entries(params)
    .map(
      ([name, { type, ...options }]) => `param.${type}(${JSON.stringify(name)},${JSON.stringify(options)});`,
    )
    .join('')
}

/** Writes a policy or a guardrail in the authoring API: one line per rule, each mapped to its place in the JSON. */
export function jsonModule(document: SourceDocument, parts: JsonPolicyParts): { code: string; map: string } {
  const options = JSON.stringify(parts.header).slice(1, -1)
  const lines = [
    `import{constraint,guardrail,inBucket as __inBucket,param,route,rule}from"@signalbox/policies";${runtimeImports};`,
    paramCode(parts.params),
    `export default ${parts.kind}(${JSON.stringify(parts.id)},__at(${JSON.stringify(parts.site)},0,false,{`,
    `${options}${options === '' ? '' : ','}rules:[`,
    ...parts.rules.map(ruleCode),
    ']}));',
  ]
  const firstRule = 4
  const mappings = lines.map((_, line): Mapping => {
    const { line: row, column } = parts.rules[line - firstRule]?.position ?? document.locate([])
    return { line, column: 0, sourceLine: row - 1, sourceColumn: column - 1 }
  })
  const map = encodeSourceMap({ file: document.file, text: document.text }, mappings)
  return { code: lines.join('\n'), map }
}
