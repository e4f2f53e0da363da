import type { AnyNode, Expression } from 'acorn'
import { isFunction } from './ts-scope.ts'

const methodsWithForm = ['includes', 'startsWith']

function nameOf(callee: AnyNode): string {
  if (callee.type === 'Identifier') return `${callee.name}()`
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return 'a function'
  return `.${callee.property.name}()`
}

/** Why a condition that could be taken out of its rule is code and no data, in a few words for its author. */
export function whyOpaque(node: AnyNode): string {
  if (node.type === 'CallExpression') {
    const name = nameOf(node.callee)
    const hasForm = methodsWithForm.some((each) => name === `.${each}()`)
    return hasForm ? `${name} on something else than facts and literals` : `it calls ${name}`
  }
  if (node.type === 'ConditionalExpression') return 'it chooses with "? :"; use && and ||'
  if (node.type === 'BinaryExpression') {
    const { operator } = node
    if (operator === '==' || operator === '!=') return `it compares with ${operator}; use ${operator}=`
    const sides = [node.left, node.right]
    const isComputed = sides.some(({ type }) => type === 'BinaryExpression' || type === 'UnaryExpression')
    if (isComputed) return 'it calculates'
    const call = sides.find(({ type }) => type === 'CallExpression')
    if (call?.type === 'CallExpression') return `it calls ${nameOf(call.callee)}`
    return 'it compares something else than facts, params and literals'
  }
  if (node.type === 'MemberExpression' || node.type === 'ChainExpression' || node.type === 'Identifier') {
    return 'it is no fact that is true or false; compare it with something'
  }
  return 'it is no comparison of facts, params and literals'
}

/** Why nothing of a condition could be taken apart. */
export function whyNotTakenApart(node: Expression): string {
  if (!isFunction(node)) return 'the condition is a function that stands elsewhere; write it in its rule'
  if (node.body.type === 'BlockStatement') return 'it has statements; write one expression'
  return 'its parameter is no plain name'
}
