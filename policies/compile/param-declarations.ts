import { ParamDeclaration } from '@signalbox/sdk/contract'
import type { TSchema } from 'typebox'
import { fitsParam } from '../evaluation/param-values.ts'
import type { Params } from './condition.ts'
import { didYouMean } from './near-name.ts'
import type { Finding, ProblemList } from './problem-list.ts'
import { schemaFindings } from './schema-problems.ts'
import type { DocumentPath, SourceDocument } from './source-document.ts'

const paramTypes = ParamDeclaration.anyOf.map(({ properties }) => String(properties.type.const))
const paramName = /^[a-z][A-Za-z0-9_]{0,63}$/

/** Something wrong with a declaration; the path starts at it. */
export interface DeclarationFinding extends Finding {
  readonly path: DocumentPath
  readonly part: 'key' | 'value'
}

/** All that is wrong with the declaration of a param, in the words of the type that was meant. */
export function declarationFindings(name: unknown, declaration: unknown): DeclarationFinding[] {
  const at = (code: string, message: string, path: DocumentPath): DeclarationFinding[] => [
    { code, message, path, part: 'value' },
  ]
  if (typeof name !== 'string' || !paramName.test(name)) {
    const message = `${JSON.stringify(name)} is no name of a param: a small letter, then letters, digits or "_"`
    return at('param', message, [])
  }
  const { type } = Object(declaration)
  const index = paramTypes.indexOf(type)
  if (index === -1) {
    const hint = didYouMean(String(type), paramTypes)
    return at('param', `"type" must be one of ${paramTypes.join(', ')}${hint}`, ['type'])
  }
  const schema: TSchema = ParamDeclaration.anyOf[index] ?? ParamDeclaration
  const findings = schemaFindings(schema, declaration)
  if (findings.length > 0) return findings
  // The shape was just checked.
  const checked = declaration as ParamDeclaration
  if (fitsParam(checked, checked.default)) return []
  return at('param', `the default of "${name}" is outside its own limits`, ['default'])
}

/** Checks `params` of a policy in JSON form; returns those that are good. */
export function checkParamDeclarations(document: SourceDocument, problems: ProblemList): Params {
  const declared: Record<string, unknown> = Object(Object(document.value).params)
  const good: Record<string, ParamDeclaration> = {}
  for (const [name, declaration] of Object.entries(declared)) {
    const findings = declarationFindings(name, declaration)
    for (const finding of findings) {
      document.report(problems, ['params', name, ...finding.path], finding, finding.part)
    }
    // No findings: it is a declaration.
    if (findings.length === 0) good[name] = declaration as ParamDeclaration
  }
  return good
}
