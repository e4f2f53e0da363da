import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTemplate, type TemplateNode } from '../../../policies/prompts/parse-template.ts'

const pieces = [
  '{{',
  '}}',
  '{',
  '}',
  '#',
  '^',
  '/',
  '>',
  '@',
  '!',
  '.',
  'a',
  'user',
  ' ',
  '\n',
  '\r\n',
  '\\',
  '\\{{',
  '{{a}}',
  '{{/a}}',
]
const template = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join('')),
)
function textOf(nodes: readonly TemplateNode[]): string {
  return nodes
    .map((node) => ('text' in node ? node.text : 'section' in node ? textOf(node.children) : ''))
    .join('')
}

describe('a template', () => {
  test('of any text is read without an exception, and every slip has its place in it', () => {
    fc.assert(
      fc.property(template, (text) => {
        const { messages, problems } = parseTemplate(text)
        for (const { offset } of problems) expect(offset).toBeLessThan(text.length)
        // No tag makes text that was not written.
        const shown = messages.map(({ nodes }) => textOf(nodes)).join('')
        expect(shown.length).toBeLessThanOrEqual(text.length)
      }),
      { numRuns: 2000 },
    )
  })

  test('without tags is its own text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        fc.pre(!text.includes('{{'))
        expect(parseTemplate(text)).toMatchObject({
          messages: [{ role: 'system', nodes: [{ text }] }],
          problems: [],
        })
      }),
    )
  })

  test.each([
    ['opening braces', '{{'],
    ['open sections', '{{#a}}'],
    ['ends without sections', '{{/a}}'],
    ['blanks before tags', ' '.repeat(50).concat('{{#a}}')],
    ['comments', '{{!}}'],
    ['backslashes', '\\\\{{'],
  ])('of many %s takes linear time', (_, piece) => {
    const startMs = performance.now()
    parseTemplate(piece.repeat(Math.floor(262_144 / piece.length)))
    expect(performance.now() - startMs).toBeLessThan(2000)
  })
})
