import { renderPrompt } from '@signalbox/policies'
import { Refusal } from '@signalbox/sdk/contract'
import { describe, expect, test } from 'vitest'

const template = {
  body: 'Dear {{name}}, {{ text }} costs {{count}}. \\{{name}} stays, {{ no }t too.',
  variables: {
    name: { type: 'string' },
    text: { type: 'string', maxLength: 20 },
    count: { type: 'integer' },
  },
}
const values = { name: 'Ada', text: 'tea', count: 3 }

function refusalOf(action: () => unknown): { code: string; param: string | undefined; message: string } {
  try {
    action()
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, param: error.param, message: error.message }
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a prompt', () => {
  test('takes its variables, and braces with a backslash as braces', () => {
    expect(renderPrompt(template, values)).toBe('Dear Ada, tea costs 3. {{name}} stays, {{ no }t too.')
  })

  test('never reads what a variable holds as a placeholder', () => {
    const text = '{{name}} $& $1 \\{{'
    expect(renderPrompt(template, { ...values, text })).toContain(`Ada, ${text} costs`)
    expect(renderPrompt(template, { ...values, name: '{{text}}', text: '{{name}}' })).toContain(
      '{{text}}, {{name}} costs',
    )
  })

  test('wants all its variables, no other, and each of its type', () => {
    const { text: _, ...without } = values
    expect(refusalOf(() => renderPrompt(template, without))).toEqual({
      code: 'invalid_request',
      param: 'variables.text',
      message: 'The prompt\'s variable "text" is missing.',
    })
    expect(refusalOf(() => renderPrompt(template, { ...values, nmae: 'x' }))).toMatchObject({
      param: 'variables.nmae',
    })
    expect(refusalOf(() => renderPrompt(template, { ...values, count: 'many' }))).toMatchObject({
      param: 'variables.count',
      message: 'The prompt\'s variable "count" is not of its type.',
    })
    expect(refusalOf(() => renderPrompt(template, { ...values, text: 'x'.repeat(21) }))).toMatchObject({
      param: 'variables.text',
    })
  })

  test('has no variable that only its prototype has', () => {
    const empty = { body: 'x', variables: {} }
    expect(refusalOf(() => renderPrompt(empty, { toString: 'x' }))).toMatchObject({
      param: 'variables.toString',
    })
  })

  test('has a limit', () => {
    const many = { body: '{{text}}'.repeat(1000), variables: { text: { type: 'string' } } }
    expect(refusalOf(() => renderPrompt(many, { text: 'x'.repeat(1001) }))).toMatchObject({
      code: 'request_too_large',
    })
  })
})
