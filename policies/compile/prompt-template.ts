import type { TemplateNode } from '../prompts/parse-template.ts'
import { type PromptVariable, prepareVariables } from '../prompts/prompt-variables.ts'
import { didYouMean } from './near-name.ts'
import type { ProblemList } from './problem-list.ts'
import type { PromptSource } from './prompt-file.ts'

/** What is known at a place of a template. */
interface Around {
  /** A list's section is around. */
  readonly inList: boolean
  /** Variables that surely have a value here although a call may leave them out. */
  readonly given: ReadonlySet<string>
}

/** Checks every tag of a template against what its front matter declares. */
class TemplateChecker {
  readonly used = new Set<string>()
  readonly included = new Set<string>()
  readonly #source: PromptSource
  readonly #problems: ProblemList
  readonly #variables: ReadonlyMap<string, PromptVariable>
  /** All that are declared, those with a wrong schema too. */
  readonly #declared: readonly string[]

  constructor(source: PromptSource, problems: ProblemList) {
    this.#source = source
    this.#problems = problems
    this.#variables = prepareVariables(source.variables)
    this.#declared = Object.keys(Object(Object(source.document.value).variables))
  }

  #report({ offset }: TemplateNode, code: string, message: string): void {
    const { file, at } = this.#source
    this.#problems.add(file, at(offset), { code, message })
  }

  /** A declared variable; reports one that is not. Undefined also where its own schema is wrong. */
  #variable(node: TemplateNode, name: string): PromptVariable | undefined {
    this.used.add(name)
    if (!this.#declared.includes(name)) {
      const hint = didYouMean(name, this.#declared) || '; declare it under "variables"'
      this.#report(node, 'unknown_variable', `unknown variable "${name}"${hint}`)
    }
    return this.#variables.get(name)
  }

  nodes(nodes: readonly TemplateNode[], around: Around): void {
    for (const node of nodes) {
      if ('variable' in node) this.#insertion(node, node.variable, around)
      else if ('partial' in node) this.#partial(node, node.partial)
      else if ('section' in node) this.#section(node, around)
    }
  }

  #insertion(node: TemplateNode, name: string, { inList, given }: Around): void {
    if (name === '.') {
      if (!inList)
        this.#report(
          node,
          'template',
          '"{{.}}" is the member of a list: it stands inside of a section of one',
        )
      return
    }
    const variable = this.#variable(node, name)
    if (variable?.kind === 'list') {
      const message = `"${name}" is a list: write "{{#${name}}}{{.}}{{/${name}}}"`
      this.#report(node, 'template', message)
    } else if (variable?.mayLack === true && !given.has(name)) {
      const message = `"${name}" may be missing: give it a "default", or write it inside of "{{#${name}}}"`
      this.#report(node, 'optional_variable', message)
    }
  }

  #partial(node: TemplateNode, name: string): void {
    const { partials } = this.#source
    this.included.add(name)
    if (partials.includes(name)) return
    const hint = didYouMean(name, partials) || '; name it under "partials"'
    this.#report(node, 'unknown_partial', `unknown partial "${name}"${hint}`)
  }

  #section(node: Extract<TemplateNode, { section: string }>, around: Around): void {
    const { section: name, inverted, children } = node
    const variable = this.#variable(node, name)
    const isList = variable?.kind === 'list' && !inverted
    if (isList && around.inList) this.#report(node, 'template', 'a list cannot stand inside of a list')
    if (variable?.kind === 'scalar' && !variable.mayLack) {
      const why = `"${name}" always has a value`
      const message = `${why}: a section is for a boolean, a list, or a variable with "required: false"`
      this.#report(node, 'template', message)
    }
    const given = inverted ? around.given : new Set([...around.given, name])
    this.nodes(children, { inList: around.inList || isList, given })
  }
}

/** Checks the tags of a prompt file, and that all that it declares is used. */
export function checkTemplate(source: PromptSource, problems: ProblemList): void {
  const checker = new TemplateChecker(source, problems)
  for (const { nodes } of source.messages) checker.nodes(nodes, { inList: false, given: new Set() })
  const { document } = source
  for (const variable of Object.keys(Object(Object(document.value).variables))) {
    // With partials it may be one of theirs.
    if (checker.used.has(variable) || source.partials.length > 0) continue
    const message = `the variable "${variable}" is declared but not used`
    const finding = { code: 'unused_variable', message, severity: 'warning' } as const
    document.report(problems, ['variables', variable], finding, 'key')
  }
  for (const [index, partial] of source.partials.entries()) {
    if (checker.included.has(partial)) continue
    const message = `the partial "${partial}" is named but not included`
    document.report(problems, ['partials', index], { code: 'unused_partial', message, severity: 'warning' })
  }
}
