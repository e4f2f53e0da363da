import type { AnyNode } from 'acorn'
import type { ProblemList } from './problem-list.ts'
import { checkPromptUse, type PromptNames, unknownValue } from './prompt-names.ts'
import { apiName, type TsScope } from './ts-scope.ts'
import { walk } from './ts-source.ts'

type Call = Extract<AnyNode, { type: 'CallExpression' }>

/** A prompt that code names in place. */
interface PromptUse {
  readonly name: string
  readonly nameNode: AnyNode
  /** Undefined where they are not written in place. */
  readonly variables: ReadonlyMap<string, { readonly node: AnyNode; readonly value: unknown }> | undefined
}

function textOf(node: AnyNode | undefined): string | undefined {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}

/** The value of a literal; `unknownValue` for what only running the code can tell. */
function literalOf(node: AnyNode): unknown {
  if (node.type === 'Literal' && ['string', 'number', 'boolean'].includes(typeof node.value))
    return node.value
  if (node.type !== 'ArrayExpression') return unknownValue
  const members = node.elements.map((each) => (each === null ? unknownValue : literalOf(each)))
  return members.includes(unknownValue) ? unknownValue : members
}

/** Members of an object that is written in place, without spreads and computed names. */
function membersOf(node: AnyNode | undefined): Map<string, AnyNode> | undefined {
  if (node?.type !== 'ObjectExpression') return undefined
  const members = new Map<string, AnyNode>()
  for (const property of node.properties) {
    if (property.type !== 'Property' || property.computed) return undefined
    const { key, value } = property
    members.set(key.type === 'Identifier' ? key.name : String(textOf(key)), value)
  }
  return members
}

function variablesIn(node: AnyNode | undefined): PromptUse['variables'] {
  if (node === undefined) return new Map()
  const members = membersOf(node)
  return (
    members && new Map([...members].map(([name, value]) => [name, { node: value, value: literalOf(value) }]))
  )
}

/** `use(…).fallback(…).prompt(…)`: whether a chain of calls begins with `use`. */
function beginsWithUse(node: AnyNode, scope: TsScope): boolean {
  let at = node
  while (at.type === 'CallExpression') {
    if (apiName(at.callee, scope) === 'use') return true
    if (at.callee.type !== 'MemberExpression') return false
    at = at.callee.object
  }
  return false
}

function promptIn(call: Call, scope: TsScope): PromptUse | undefined {
  const { callee } = call
  const [first, second] = call.arguments
  if (callee.type === 'MemberExpression' && !callee.computed && beginsWithUse(callee.object, scope)) {
    const isPrompt = callee.property.type === 'Identifier' && callee.property.name === 'prompt'
    const name = textOf(first)
    if (!isPrompt || first === undefined || name === undefined) return undefined
    return { name, nameNode: first, variables: variablesIn(second) }
  }
  if (apiName(callee, scope) !== 'target') return undefined
  const prompt = membersOf(membersOf(second)?.get('prompt'))
  const nameNode = prompt?.get('name')
  const name = textOf(nameNode)
  if (nameNode === undefined || name === undefined) return undefined
  return { name, nameNode, variables: variablesIn(prompt?.get('variables')) }
}

/** Checks the prompts that a file names in place, and their variables as far as they are written there. */
export function checkPromptCalls(scope: TsScope, prompts: PromptNames, problems: ProblemList): void {
  const { source } = scope
  walk(source.program, (node) => {
    const used = node.type === 'CallExpression' ? promptIn(node, scope) : undefined
    if (used === undefined) return true
    const { name, nameNode, variables } = used
    const values = variables && Object.fromEntries([...variables].map(([each, { value }]) => [each, value]))
    for (const { path, ...finding } of checkPromptUse(name, values, prompts)) {
      const place = path[0] === 'variables' ? variables?.get(String(path[1]))?.node : nameNode
      problems.add(source.file, source.at(place ?? nameNode), finding)
    }
    return true
  })
}
