import type {
  Completion,
  CompletionContext,
  CompletionResult,
  CompletionSource,
} from '@codemirror/autocomplete'
import { syntaxTree } from '@codemirror/language'
import type { FactWord, Vocabulary } from '@signalbox/policies/engine'

type Words = () => Vocabulary | undefined

const childName = /^[\w-]+$/

/** Members below a path: `request` → `metadata`, `model`, … */
function membersOf(facts: readonly FactWord[], path: string): Completion[] {
  const prefix = path === '' ? '' : `${path}.`
  return facts.flatMap((word) => {
    const name = word.path.startsWith(prefix) ? word.path.slice(prefix.length) : ''
    return childName.test(name) ? [{ label: name, type: 'property', detail: word.kind }] : []
  })
}

function quoted(values: readonly unknown[], type = 'enum'): Completion[] {
  return values.map((value) => ({ label: String(value), type }))
}

/** Values of the fact that a comparison begins with: `f.request.metadata.tier === '` */
function valuesBefore(text: string, facts: readonly FactWord[]): Completion[] | undefined {
  const [, path] = /\w+\.([\w.]+)\s*[!=]==?\s*['"][\w-]*$/.exec(text) ?? []
  const values = facts.find((word) => word.path === path)?.values
  return values === undefined ? undefined : quoted(values)
}

/** Where a text that begins before the cursor is the name of a model: an argument of a plan, or a member. */
const namesModel = [
  /\b(use|fallback|target|ordered|lowestCost|lowestLatency|leastBusy|sticky|hedged|mirror)\([^()]*['"][\w./-]*$/,
  /\b(safeRoute|part|model)\s*:\s*['"][\w./-]*$/,
  /\bstep\(\s*['"][^'"]*['"]\s*,\s*['"][\w./-]*$/,
]

function inText(context: CompletionContext, words: Vocabulary): CompletionResult | null {
  const word = context.matchBefore(/[\w./-]*/)
  const line = context.state.doc.lineAt(context.pos)
  const before = line.text.slice(0, context.pos - line.from)
  const from = word?.from ?? context.pos
  const values = valuesBefore(before, words.facts)
  if (values !== undefined) return { from, options: values }
  if (/requireGuard\([^)]*['"][\w-]*$/.test(before))
    return { from, options: quoted(words.guardrails, 'constant') }
  if (/\.prompt\(\s*['"][\w-]*$/.test(before)) return { from, options: quoted(words.prompts, 'constant') }
  return namesModel.some((each) => each.test(before))
    ? { from, options: quoted(words.models, 'constant') }
    : null
}

/** In policies: what `@signalbox/policies` exports, facts after a dot, names of models inside quotes. */
export function typescriptCompletion(vocabulary: Words): CompletionSource {
  return (context) => {
    const words = vocabulary()
    if (words === undefined) return null
    const node = syntaxTree(context.state).resolveInner(context.pos, -1)
    if (/^(String|TemplateString)$/.test(node.name)) return inText(context, words)
    if (/Comment$/.test(node.name)) return null
    const chain = context.matchBefore(/\w+(?:\.\w+)*\.\w*/)
    if (chain !== null) {
      const parts = chain.text.split('.')
      const path = parts.slice(1, -1).join('.')
      const options = membersOf(words.facts, path)
      const from = context.pos - (parts.at(-1)?.length ?? 0)
      return options.length === 0 ? null : { from, options, validFor: /^\w*$/ }
    }
    const method = context.matchBefore(/\)\s*\.\w*/)
    if (method !== null) {
      const from = method.from + method.text.lastIndexOf('.') + 1
      return {
        from,
        options: words.choiceMethods.map((label) => ({ label, type: 'method' })),
        validFor: /^\w*$/,
      }
    }
    const word = context.matchBefore(/\w+/)
    if (word === null && !context.explicit) return null
    const options = words.functions.map((label) => ({ label, type: 'function' }))
    return { from: word?.from ?? context.pos, options, validFor: /^\w*$/ }
  }
}

/** Names of the members that lead to a place in a JSON document; `[]` for the members of a list. */
function jsonPath(context: CompletionContext): string {
  const parts: string[] = []
  let node = syntaxTree(context.state).resolveInner(context.pos, -1)
  const inName = node.name === 'PropertyName'
  if (inName && node.parent !== null) node = node.parent
  let isFirst = inName
  for (let each: typeof node | null = node; each !== null; each = each.parent) {
    if (each.name === 'Array') parts.unshift('[]')
    if (each.name !== 'Property') continue
    if (isFirst) {
      isFirst = false
      continue
    }
    const name = each.getChild('PropertyName')
    if (name === null) continue
    const text = context.state.sliceDoc(name.from + 1, name.to - 1)
    parts.unshift(text)
  }
  return parts.join('.').replaceAll('.[]', '[]')
}

/** In facts: names of members where the document has them, and values where they are few. */
export function factsCompletion(vocabulary: Words): CompletionSource {
  return (context) => {
    const words = vocabulary()
    if (words === undefined) return null
    const node = syntaxTree(context.state).resolveInner(context.pos, -1)
    const path = jsonPath(context)
    const word = context.matchBefore(/"?[\w./-]*/)
    const from = word?.from ?? context.pos
    const before = context.state.sliceDoc(Math.max(0, from - 40), from)
    const quoteOf = (label: string): string => JSON.stringify(label)
    const to = node.name === 'PropertyName' || node.name === 'String' ? node.to : context.pos
    if (/:\s*$/.test(before)) {
      const values =
        path === 'request.model.requested'
          ? words.models
          : words.facts.find((each) => each.path === path)?.values
      if (values === undefined) return null
      return { from, to, options: values.map((value) => ({ label: JSON.stringify(value), type: 'enum' })) }
    }
    const at = node.name === 'Property' ? path.split('.').slice(0, -1).join('.') : path
    const options = membersOf(words.facts, at).map((each) => ({
      ...each,
      label: quoteOf(each.label),
      apply: `${quoteOf(each.label)}${to > context.pos || node.name === 'PropertyName' ? '' : ': '}`,
    }))
    return options.length === 0 ? null : { from, to, options, filter: true }
  }
}

/** In JSON policies, cases and settings: paths of facts and names of models, guardrails, prompts. */
export function pathCompletion(vocabulary: Words): CompletionSource {
  return (context) => {
    const words = vocabulary()
    const word = context.matchBefore(/[\w./-]+/)
    if (words === undefined || (word === null && !context.explicit)) return null
    const options: Completion[] = [
      ...words.facts.map(({ path, kind }) => ({ label: path, type: 'property', detail: kind })),
      ...quoted(words.models, 'constant'),
      ...quoted([...words.guardrails, ...words.prompts], 'constant'),
    ]
    return { from: word?.from ?? context.pos, options, validFor: /^[\w./-]*$/ }
  }
}
