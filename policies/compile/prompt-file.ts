import { promptTextCharactersMax } from '@signalbox/sdk/contract'
import { type Static, Type } from 'typebox'
import { parseTemplate, type TemplateMessage } from '../prompts/parse-template.ts'
import type { ProblemList } from './problem-list.ts'
import { checkTemplate } from './prompt-template.ts'
import { checkPromptVariables } from './prompt-variables.ts'
import { reportSchemaProblems } from './schema-problems.ts'
import { parseOrReport, type SourceDocument } from './source-document.ts'
import { type Position, startOfFile, TextPositions } from './text-position.ts'
import { parseYamlDocument } from './yaml-document.ts'

const PromptName = Type.String({
  pattern: '^[a-z0-9][a-z0-9._-]{0,127}$',
  description: 'a name: small letters, digits, ".", "_", "-"',
})
const FrontMatter = Type.Object(
  {
    name: PromptName,
    description: Type.Optional(Type.String({ maxLength: 1024 })),
    variables: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' }),
        Type.Record(Type.String(), Type.Unknown()),
      ),
    ),
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    partials: Type.Optional(Type.Array(PromptName, { maxItems: 32, uniqueItems: true })),
  },
  { additionalProperties: false },
)

/** A prompt file that was read; what it includes is not looked at yet. */
export interface PromptSource {
  readonly file: string
  readonly text: string
  readonly document: SourceDocument
  readonly name: string
  readonly description: string | undefined
  readonly model: string | undefined
  /** Its own variables, as they are written. */
  readonly variables: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Prompts that it may include. */
  readonly partials: readonly string[]
  readonly messages: readonly TemplateMessage[]
  /** Position of the first message tag. */
  readonly rolePosition: Position | undefined
  /** Position of an offset in the body. */
  at(offset: number): Position
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

/** Reads and checks a prompt file by itself. Undefined where its front matter is wrong; all is reported. */
export function readPrompt(file: string, text: string, problems: ProblemList): PromptSource | undefined {
  const split = splitPrompt(text)
  if (split === undefined) {
    const message = 'a prompt starts with front matter between two lines of "---", with at least a "name"'
    problems.add(file, startOfFile, { code: 'syntax', message })
    return undefined
  }
  const document = parseOrReport(() => parseYamlDocument(file, text, split.front), file, problems)
  if (document === undefined || !reportSchemaProblems(FrontMatter, document, problems)) return undefined
  // Fits the schema, as was just checked.
  const { name, description, model, partials = [] } = document.value as Static<typeof FrontMatter>
  const body = text.slice(split.bodyStart)
  const positions = new TextPositions(text)
  const at = (offset: number): Position => positions.at(split.bodyStart + offset)
  if (body.length > promptTextCharactersMax) {
    const message = `a prompt has at most ${promptTextCharactersMax} characters, this one has ${body.length}`
    problems.add(file, at(0), { code: 'prompt_too_large', message })
    return undefined
  }
  const { messages, roleOffset, problems: slips } = parseTemplate(body)
  for (const { offset, message } of slips) problems.add(file, at(offset), { code: 'template', message })
  const variables = checkPromptVariables(document, problems)
  const rolePosition = roleOffset === undefined ? undefined : at(roleOffset)
  const source = {
    file,
    text,
    document,
    name,
    description,
    model,
    variables,
    partials,
    messages,
    rolePosition,
    at,
  }
  checkTemplate(source, problems)
  return source
}
