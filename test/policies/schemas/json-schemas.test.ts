import { fileURLToPath } from 'node:url'
import { loadWorkspaceFolder, publishedSchemas, schemaText } from '@signalbox/policies'
import { Ajv } from 'ajv'
import { describe, expect, it, test } from 'vitest'
import { parse } from 'yaml'
import { operators } from '../../../policies/compile/expression-checker.ts'
import { effectNames } from '../../../policies/evaluation/effect-shape.ts'
import { printedFiles, textOf } from '../../architecture/documented-names.ts'

const starter = fileURLToPath(new URL('../../../policies/starter', import.meta.url))
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
const validators = new Map(publishedSchemas().map((each) => [each.name, ajv.compile(each.schema)]))

/** The schema that a file of a workspace is checked with. */
function schemaFor(path: string): string | undefined {
  const patterns = publishedSchemas().map(
    ({ name, files }) => [name, files[0]?.split('*').at(-1) ?? ''] as const,
  )
  return patterns.find(([, end]) => path.endsWith(end))?.[0]
}

function errorsOf(schema: string, value: unknown): string[] {
  const validate = validators.get(schema)
  if (validate === undefined) throw new Error(`no schema ${schema}`)
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

function checked(files: ReadonlyMap<string, string>): { wrong: string[]; schemas: Set<string> } {
  const schemas = new Set<string>()
  const wrong = [...files].flatMap(([path, text]) => {
    const schema = schemaFor(path)
    if (schema === undefined) return []
    schemas.add(schema)
    return errorsOf(schema, parse(text)).map((error) => `${path} ${error}`)
  })
  return { wrong, schemas }
}

describe('published schemas', () => {
  for (const each of publishedSchemas()) {
    it(`${each.name} is what stands in policies/schemas; \`npx vitest run test/policies/schemas -u\` writes it`, async () => {
      await expect(schemaText(each)).toMatchFileSnapshot(`../../../policies/schemas/${each.name}`)
    })
  }

  it('fit all that the starter and the README write', async () => {
    const ours = checked(await loadWorkspaceFolder(starter))
    const printed = checked(printedFiles(textOf('policies/README.md')))
    expect([...ours.wrong, ...printed.wrong]).toEqual([])
    expect([...ours.schemas].sort()).toEqual(
      publishedSchemas()
        .map(({ name }) => name)
        .sort(),
    )
  })

  it('know every operator and effect', () => {
    const text = JSON.stringify(publishedSchemas()[0]?.schema)
    expect([...operators, ...effectNames].filter((name) => !text.includes(`"${name}":`))).toEqual([])
  })

  const policy = {
    kind: 'constraint',
    id: 'c',
    rules: [{ id: 'x', when: true, then: { cap: { maxOutputTokens: 5 } } }],
  }
  const withRule = (rule: object) => ({ ...policy, rules: [{ ...policy.rules[0], ...rule }] })
  const suite = { cases: [{ name: 'a', expect: { effect: 'deny' } }] }
  const rows: [what: string, schema: string, value: unknown, fits: boolean][] = [
    ['a policy that names its schema', 'policy-1.json', { $schema: './x.json', ...policy }, true],
    ['an unknown member', 'policy-1.json', { ...policy, onErr: 'deny' }, false],
    ['an unknown operator', 'policy-1.json', withRule({ when: { equals: [1, 2] } }), false],
    ['two operators at once', 'policy-1.json', withRule({ when: { has: 'a', param: 'b' } }), false],
    [
      'nested conditions',
      'policy-1.json',
      withRule({ when: { all: [{ not: { gt: [{ fact: 'nowMs' }, 3] } }] } }),
      true,
    ],
    ['a comparison of one', 'policy-1.json', withRule({ when: { gt: [1] } }), false],
    ['an unknown effect', 'policy-1.json', withRule({ then: { block: {} } }), false],
    [
      'a plan with an alias',
      'policy-1.json',
      withRule({ then: { plan: { strategy: 'ordered', of: [{ target: 'smart' }] } } }),
      true,
    ],
    ['an allowance without a reason', 'policy-1.json', withRule({ allow: [{ code: 'no_fallback' }] }), false],
    [
      'a guardrail that asks for a bucket',
      'guardrail-1.json',
      {
        kind: 'guardrail',
        id: 'g',
        direction: 'input',
        when: { bucket: { rollout: 'r', ppm: 5 } },
        then: { flag: { code: 'A' } },
      },
      false,
    ],
    ['a workspace that names its schema', 'workspace-1.json', { $schema: 'x', name: 'acme' }, true],
    [
      'an unknown provider',
      'workspace-1.json',
      { name: 'a', connections: { x: { provider: 'opena' } } },
      false,
    ],
    ['cases of a policy', 'cases-1.json', { $schema: 'x', policy: 'p', ...suite }, true],
    ['cases of a guardrail', 'cases-1.json', { guardrail: 'g', ...suite }, true],
    ['cases of nothing', 'cases-1.json', suite, false],
    [
      'a misspelt member of a case',
      'cases-1.json',
      { policy: 'p', cases: [{ name: 'a', expects: {} }] },
      false,
    ],
  ]
  test.each(rows)('%s', (_, schema, value, fits) => {
    expect(errorsOf(schema, value).length === 0).toBe(fits)
  })
})
