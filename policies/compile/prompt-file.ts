import { digestOf } from '@signalbox/sdk/node'
import { type Static, Type } from 'typebox'
import { type PromptTemplate, placeholdersOf } from '../prompts/render-prompt.ts'
import { checkPropertySchemas } from './metadata-schemas.ts'
import { didYouMean } from './near-name.ts'
import type { ProblemList } from './problem-list.ts'
import { reportSchemaProblems } from './schema-problems.ts'
import { parseOrReport } from './source-document.ts'
import { startOfFile, TextPositions } from './text-position.ts'
import { parseYamlDocument } from './yaml-document.ts'

const FrontMatter = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9][a-z0-9._-]{0,127}$',
      description: 'a name: small letters, digits, ".", "_", "-"',
    }),
    description: Type.Optional(Type.String({ maxLength: 1024 })),
    variables: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' }),
        Type.Record(Type.String(), Type.Unknown()),
      ),
    ),
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  },
  { additionalProperties: false },
)

/** A prompt of a workspace, as the version keeps it. */
export interface CompiledPrompt {
  readonly name: string
  readonly file: string
  readonly digest: string
  readonly variables: PromptTemplate['variables']
  readonly model?: string
  /** Where its name stands. */
  readonly position: { readonly line: number; readonly column: number }
  /** Where its model stands. */
  readonly modelPosition: { readonly line: number; readonly column: number }
}
const fence = /^---[ \t]*\r?\n/

/** Splits a prompt file into front matter, from `---` to `---`, and body. Undefined where it has none. */
export function splitPrompt(
  text: string,
): { front: { start: number; end: number }; bodyStart: number } | undefined {
  const opening = fence.exec(text)
  if (opening === null) return undefined
  const closing = /^---[ \t]*(\r?\n|$)/m
  const start = opening[0].length
  const found = closing.exec(text.slice(start))
  if (found === null) return undefined
  const end = start + found.index
  return { front: { start, end }, bodyStart: end + found[0].length }
}

/** Every `{{name}}` of the body is a declared variable; one that is declared and not used is probably a slip. */
function checkPlaceholders(
  file: string,
  text: string,
  body: { start: number; declared: readonly string[] },
  problems: ProblemList,
): ReadonlySet<string> {
  const positions = new TextPositions(text)
  const used = new Set<string>()
  for (const { name, offset } of placeholdersOf(text.slice(body.start))) {
    used.add(name)
    if (body.declared.includes(name)) continue
    const hint = didYouMean(name, body.declared) || '; declare it under "variables"'
    const message = `unknown variable "${name}"${hint}`
    problems.add(file, positions.at(body.start + offset), { code: 'unknown_variable', message })
  }
  return used
}

/** Reads and checks a prompt file. Undefined where its front matter is wrong; all is reported. */
export function compilePrompt(file: string, text: string, problems: ProblemList): CompiledPrompt | undefined {
  const split = splitPrompt(text)
  if (split === undefined) {
    const message = 'a prompt starts with front matter between two lines of "---", with at least a "name"'
    problems.add(file, startOfFile, { code: 'syntax', message })
    return undefined
  }
  const document = parseOrReport(() => parseYamlDocument(file, text, split.front), file, problems)
  if (document === undefined || !reportSchemaProblems(FrontMatter, document, problems)) return undefined
  // Fits the schema, as was just checked.
  const { name, model } = document.value as Static<typeof FrontMatter>
  const variables = checkPropertySchemas(document, 'variables', problems)
  const declared = Object.keys(Object(Object(document.value).variables))
  const used = checkPlaceholders(file, text, { start: split.bodyStart, declared }, problems)
  for (const variable of declared) {
    if (used.has(variable)) continue
    const message = `the variable "${variable}" is declared but not used`
    const finding = { code: 'unused_variable', message, severity: 'warning' } as const
    document.report(problems, ['variables', variable], finding, 'key')
  }
  return {
    name,
    file,
    digest: digestOf(text),
    variables: { ...variables },
    ...(model !== undefined && { model }),
    position: document.locate(['name']),
    modelPosition: document.locate(['model']),
  }
}
