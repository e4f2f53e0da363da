import type { CompiledPrompt, PromptMessage, PromptPart } from '@signalbox/sdk/contract'
import { canonicalJson, digestOf } from '@signalbox/sdk/node'
import type { TemplateNode } from '../prompts/parse-template.ts'
import type { SourceFiles } from './built-version.ts'
import { didYouMean } from './near-name.ts'
import type { ProblemList } from './problem-list.ts'
import { type PromptSource, readPrompt } from './prompt-file.ts'

const promptFile = /^prompts\/.*\.prompt\.md$/
/** Parts and characters of a prompt together with its partials. */
const partsMax = 4096
const charactersMax = 524_288
const messagesMax = 64

type Variables = Readonly<Record<string, Readonly<Record<string, unknown>>>>

class PromptTooLarge extends Error {}

/** The template of one prompt with all its partials written out. */
class Expansion {
  readonly parts: PromptPart[] = []
  readonly #sources: ReadonlyMap<string, PromptSource>
  #characters = 0

  constructor(sources: ReadonlyMap<string, PromptSource>) {
    this.#sources = sources
  }

  #push(part: PromptPart): void {
    if (part === '') return
    this.#characters += typeof part === 'string' ? part.length : 1
    if (this.#characters > charactersMax || this.parts.length >= partsMax) throw new PromptTooLarge()
    this.parts.push(part)
  }

  add(nodes: readonly TemplateNode[], source: PromptSource): void {
    for (const node of nodes) {
      if ('text' in node) this.#push(node.text)
      else if ('variable' in node) this.#push({ variable: node.variable })
      else if ('partial' in node) this.#include(node.partial)
      else this.#section(node, source)
    }
  }

  #include(name: string): void {
    const source = this.#sources.get(name)
    if (source !== undefined) this.add(withoutLastBreak(source.messages[0]?.nodes ?? []), source)
  }

  #section(node: Extract<TemplateNode, { section: string }>, source: PromptSource): void {
    const { section, inverted, children, offset } = node
    const at = this.parts.length
    const place = { file: source.file, ...source.at(offset) }
    const begun = { section, ...(inverted && { inverted }), parts: 0, ...place }
    this.#push(begun)
    this.add(children, source)
    this.parts[at] = { ...begun, parts: this.parts.length - at - 1 }
  }
}

/** A file ends with a line break that belongs to the file, not to the place where it is included. */
function withoutLastBreak(nodes: readonly TemplateNode[]): readonly TemplateNode[] {
  const last = nodes.at(-1)
  if (last === undefined || !('text' in last)) return nodes
  return [...nodes.slice(0, -1), { ...last, text: last.text.replace(/\r?\n$/, '') }]
}

function endsInSection(parts: readonly PromptPart[]): boolean {
  return parts.some(
    (part, at) => typeof part === 'object' && 'section' in part && at + part.parts === parts.length - 1,
  )
}

/** The text of a message in a prompt with several: the blank lines around it only set it apart. */
function trimmed(parts: readonly PromptPart[]): PromptPart[] {
  const [first, ...others] = parts
  const start = typeof first === 'string' ? first.replace(/^(?:[ \t]*\r?\n)+/, '') : first
  const rest = start === undefined || start === '' ? others : [start, ...others]
  const last = rest.at(-1)
  if (typeof last !== 'string' || endsInSection(rest)) return rest
  const end = last.trimEnd()
  return end === '' ? rest.slice(0, -1) : [...rest.slice(0, -1), end]
}

/** Puts the prompts of a workspace together: who includes whom, with which variables. */
class PromptLinker {
  readonly #sources: ReadonlyMap<string, PromptSource>
  readonly #problems: ProblemList

  constructor(sources: ReadonlyMap<string, PromptSource>, problems: ProblemList) {
    this.#sources = sources
    this.#problems = problems
  }

  /** Reports partials that do not exist, that are conversations, or that lead back to where they are included. */
  checkPartials(source: PromptSource): boolean {
    let good = true
    for (const [index, name] of source.partials.entries()) {
      const finding = this.#partialFinding(source, name)
      if (finding === undefined) continue
      source.document.report(this.#problems, ['partials', index], finding)
      good = false
    }
    return good
  }

  #partialFinding(source: PromptSource, name: string): { code: string; message: string } | undefined {
    const partial = this.#sources.get(name)
    if (partial === undefined) {
      const message = `unknown prompt "${name}"${didYouMean(name, this.#sources.keys())}`
      return { code: 'unknown_partial', message }
    }
    const { rolePosition } = partial
    if (rolePosition !== undefined) {
      const where = `${partial.file}:${rolePosition.line}:${rolePosition.column}`
      return {
        code: 'partial',
        message: `"${name}" begins messages (${where}) and cannot be a part of another prompt`,
      }
    }
    const cycle = this.#pathBack(name, source.name)
    if (cycle === undefined) return undefined
    const path = [source.name, ...cycle].join(' → ')
    return { code: 'partial_cycle', message: `prompts include each other without end: ${path}` }
  }

  /** The way from one prompt to another along partials. */
  #pathBack(from: string, to: string): string[] | undefined {
    const seen = new Set<string>()
    const search = (name: string): string[] | undefined => {
      if (name === to) return [name]
      if (seen.has(name)) return undefined
      seen.add(name)
      for (const next of this.#sources.get(name)?.partials ?? []) {
        const rest = search(next)
        if (rest !== undefined) return [name, ...rest]
      }
      return undefined
    }
    return search(from)
  }

  /** A prompt and all that it includes, itself first. */
  closureOf(source: PromptSource): PromptSource[] {
    const seen = new Map([[source.name, source]])
    for (const each of seen.values()) {
      for (const name of each.partials) {
        const partial = this.#sources.get(name)
        if (partial !== undefined) seen.set(name, partial)
      }
    }
    return [...seen.values()]
  }

  /** Its own variables and those of its partials; one name has one declaration. */
  variablesOf(source: PromptSource): Variables {
    const variables: Record<string, Readonly<Record<string, unknown>>> = { ...source.variables }
    for (const partial of this.closureOf(source).slice(1)) {
      for (const [name, schema] of Object.entries(partial.variables)) {
        const known = Object.hasOwn(variables, name) ? variables[name] : undefined
        if (known !== undefined && canonicalJson(known) !== canonicalJson(schema)) {
          const isOwn = Object.hasOwn(source.variables, name)
          const message = `the variable "${name}" is declared in ${partial.file} too, in another way`
          const path = isOwn ? ['variables', name] : ['partials']
          source.document.report(this.#problems, path, { code: 'duplicate_variable', message }, 'key')
        }
        variables[name] = schema
      }
    }
    return variables
  }

  link(source: PromptSource): CompiledPrompt | undefined {
    const closure = this.closureOf(source)
    const variables = this.variablesOf(source)
    const messages = this.#messages(source)
    if (messages === undefined) return undefined
    const { name, file, description, model, text } = source
    const others = closure.slice(1)
    const texts = closure.map((each) => [each.file, digestOf(each.text)])
    return {
      name,
      file,
      digest: others.length === 0 ? digestOf(text) : digestOf(canonicalJson(texts)),
      ...(description !== undefined && { description }),
      variables,
      ...(model !== undefined && { model }),
      ...(others.length > 0 && { partials: others.map((each) => each.name) }),
      messages,
    }
  }

  #messages(source: PromptSource): PromptMessage[] | undefined {
    const report = (message: string): undefined => {
      source.document.report(this.#problems, ['name'], { code: 'prompt_too_large', message })
      return undefined
    }
    if (source.messages.length > messagesMax) return report(`a prompt has at most ${messagesMax} messages`)
    try {
      return source.messages.map(({ role, nodes }) => {
        const expansion = new Expansion(this.#sources)
        expansion.add(nodes, source)
        const { parts } = expansion
        return { role, parts: source.rolePosition === undefined ? parts : trimmed(parts) }
      })
    } catch (error) {
      if (!(error instanceof PromptTooLarge)) throw error
      return report(
        `with its partials a prompt has at most ${partsMax} parts and ${charactersMax} characters`,
      )
    }
  }
}

/** Prompts as they are read, by name; the second of one name is reported and left out. */
function readPrompts(files: SourceFiles, problems: ProblemList): Map<string, PromptSource> {
  const sources = new Map<string, PromptSource>()
  for (const file of [...files.keys()].filter((path) => promptFile.test(path)).sort()) {
    const source = readPrompt(file, files.get(file) ?? '', problems)
    if (source === undefined) continue
    const other = sources.get(source.name)
    if (other === undefined) sources.set(source.name, source)
    else {
      const message = `the prompt "${source.name}" stands in ${other.file} too`
      source.document.report(problems, ['name'], { code: 'duplicate_id', message })
    }
  }
  return sources
}

/** A prompt that was compiled, with the file it was made of. */
export interface LinkedPrompt {
  readonly compiled: CompiledPrompt
  readonly document: PromptSource['document']
}

/** Compiles all prompts of a workspace, by file. Those with errors are left out, but named; all is reported. */
export function compilePrompts(
  files: SourceFiles,
  problems: ProblemList,
): { prompts: LinkedPrompt[]; names: ReadonlySet<string> } {
  const sources = readPrompts(files, problems)
  const linker = new PromptLinker(sources, problems)
  const good = [...sources.values()].map((source) => linker.checkPartials(source))
  const prompts: LinkedPrompt[] = []
  // Along a circle there is no end of including.
  for (const source of good.every(Boolean) ? sources.values() : []) {
    const compiled = linker.link(source)
    if (compiled !== undefined) prompts.push({ compiled, document: source.document })
  }
  return { prompts, names: new Set(sources.keys()) }
}
