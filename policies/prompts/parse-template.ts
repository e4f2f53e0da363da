import { type PromptRole, promptRoles } from '@signalbox/sdk/contract'

/** A node of a template as it is written. Offsets count from the start of the text that was parsed. */
export type TemplateNode = { readonly offset: number } & (
  | { readonly text: string }
  | { readonly variable: string }
  | { readonly partial: string }
  | { readonly section: string; readonly inverted: boolean; readonly children: readonly TemplateNode[] }
)
export interface TemplateMessage {
  readonly role: PromptRole
  readonly nodes: readonly TemplateNode[]
}
export interface TemplateProblem {
  readonly offset: number
  readonly message: string
}
export interface ParsedTemplate {
  /** What stands before the first message tag is a system message. */
  readonly messages: readonly TemplateMessage[]
  /** Where the first message tag stands, if there is one. */
  readonly roleOffset: number | undefined
  readonly problems: readonly TemplateProblem[]
}

/** Sections in each other, at most. */
const depthMax = 8
const problemsMax = 50
/** `\{{` is two braces; what else begins with `{{` has to be a tag. */
const tagPattern = /\\\{\{|\{\{([^{}\n]*)\}\}|\{\{/g
const contentPattern = /^([#^/>@]?)\s*(\.|[A-Za-z_][A-Za-z0-9_]*|[a-z0-9][a-z0-9._-]*)$/
const variableName = /^(\.|[A-Za-z_][A-Za-z0-9_]{0,63})$/

interface OpenSection {
  readonly offset: number
  readonly section: string
  readonly inverted: boolean
  readonly children: TemplateNode[]
}

function isBlankAt(text: string, at: number): boolean {
  return text[at] === ' ' || text[at] === '\t'
}

/** The whole line of a tag that stands alone on it, line break included; undefined where something is beside it. */
function ownLine(text: string, start: number, end: number): { start: number; end: number } | undefined {
  let from = start
  while (from > 0 && isBlankAt(text, from - 1)) from--
  if (from > 0 && text[from - 1] !== '\n') return undefined
  let to = end
  while (isBlankAt(text, to)) to++
  if (to === text.length) return { start: from, end: to }
  if (text[to] === '\r') to++
  return text[to] === '\n' ? { start: from, end: to + 1 } : undefined
}

/** Reads a template from left to right; every slip is told, and what it was is passed over. */
class TemplateParser {
  readonly #text: string
  readonly #problems: TemplateProblem[] = []
  readonly #messages: { role: PromptRole; nodes: TemplateNode[] }[] = [{ role: 'system', nodes: [] }]
  readonly #open: OpenSection[] = []
  #roleOffset: number | undefined
  /** Where the text that belongs to no node yet begins. */
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): ParsedTemplate {
    for (const match of this.#text.matchAll(tagPattern)) {
      const start = match.index
      const end = start + match[0].length
      if (match[0].startsWith('\\')) {
        this.#takeText(start, end)
        this.#add({ offset: start, text: '{{' })
      } else this.#tag(match[1], start, end)
    }
    this.#takeText(this.#text.length, this.#text.length)
    for (let open = this.#open.pop(); open !== undefined; open = this.#open.pop()) {
      const { section, inverted, offset } = open
      // What stands in it is looked at as if it ended here.
      this.#add(open)
      const mark = inverted ? '^' : '#'
      this.#report(offset, `"{{${mark}${section}}}" has no end: write "{{/${section}}}" after it`)
    }
    const [first, ...others] = this.#messages
    const messages = this.#roleOffset === undefined || first === undefined ? this.#messages : others
    // Text before the first message tag is a message of its own, unless it is blank.
    const before = first !== undefined && messages !== this.#messages && !isBlank(first.nodes) ? [first] : []
    return {
      messages: [...before, ...messages],
      roleOffset: this.#roleOffset,
      problems: this.#problems.slice(0, problemsMax),
    }
  }

  #report(offset: number, message: string): void {
    this.#problems.push({ offset, message })
  }

  #add(node: TemplateNode): void {
    const nodes = this.#open.at(-1)?.children ?? this.#messages.at(-1)?.nodes
    nodes?.push(node)
  }

  /** Takes the text before a tag, and goes on after it. */
  #takeText(start: number, end: number): void {
    if (start > this.#at) this.#add({ offset: this.#at, text: this.#text.slice(this.#at, start) })
    this.#at = Math.max(this.#at, end)
  }

  /** The same for a tag that shows nothing: where it has a line of its own, the line goes with it. */
  #takeLine(start: number, end: number): void {
    const line = ownLine(this.#text, start, end)
    if (line === undefined || line.start < this.#at) this.#takeText(start, end)
    else this.#takeText(line.start, line.end)
  }

  #tag(content: string | undefined, start: number, end: number): void {
    const written = content?.trim() ?? ''
    if (written.startsWith('!')) {
      this.#takeLine(start, end)
      return
    }
    const match = contentPattern.exec(written)
    if (content === undefined || match === null) {
      this.#takeText(start, end)
      const what = content === undefined ? '"{{"' : `"{{${content.slice(0, 40)}}}"`
      this.#report(start, `${what} is no tag; for two braces as text write "\\{{"`)
      return
    }
    const [, mark = '', name = ''] = match
    if (mark === '@') this.#role(name, start, end)
    else if (mark === '>') {
      this.#takeText(start, end)
      this.#add({ offset: start, partial: name })
    } else if (!variableName.test(name) || (mark !== '' && name === '.')) {
      this.#takeText(start, end)
      this.#report(start, `"${name}" is no name of a variable: letters, digits and "_", not first a digit`)
    } else if (mark === '') {
      this.#takeText(start, end)
      this.#add({ offset: start, variable: name })
    } else if (mark === '/') this.#close(name, start, end)
    else this.#section(name, mark === '^', start, end)
  }

  #section(section: string, inverted: boolean, start: number, end: number): void {
    this.#takeLine(start, end)
    if (this.#open.length >= depthMax) this.#report(start, `sections are at most ${depthMax} deep`)
    else this.#open.push({ offset: start, section, inverted, children: [] })
  }

  #close(name: string, start: number, end: number): void {
    this.#takeLine(start, end)
    const open = this.#open.at(-1)
    if (open?.section === name) {
      this.#open.pop()
      this.#add(open)
      return
    }
    const wanted = open === undefined ? 'no section is open here' : `"{{/${open.section}}}" has to come first`
    this.#report(start, `"{{/${name}}}" ends nothing: ${wanted}`)
  }

  #role(name: string, start: number, end: number): void {
    this.#takeLine(start, end)
    const role = promptRoles.find((each) => each === name)
    const [open] = this.#open
    if (role === undefined) {
      this.#report(start, `"{{@${name}}}" begins no message; there are ${promptRoles.join(', ')}`)
    } else if (open !== undefined) {
      this.#report(
        start,
        `"{{@${name}}}" stands inside of "{{#${open.section}}}": a section cannot hold messages`,
      )
    } else {
      this.#roleOffset ??= start
      this.#messages.push({ role, nodes: [] })
    }
  }
}

function isBlank(nodes: readonly TemplateNode[]): boolean {
  return nodes.every((node) => 'text' in node && node.text.trim() === '')
}

/**
 * Reads the text of a prompt: `{{name}}`, `{{#name}}…{{/name}}`, `{{^name}}…{{/name}}`, `{{.}}`, `{{> prompt}}`,
 * `{{@user}}`, `{{! comment}}`, and `\{{` for two braces. Linear in the text.
 */
export function parseTemplate(text: string): ParsedTemplate {
  return new TemplateParser(text).parse()
}
