import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatUsd } from '../../../policies/cli/analysis-lines.ts'
import { githubAnnotations, sarifReport } from '../../../policies/cli/check-formats.ts'

const program = fileURLToPath(new URL('../../../policies/cli/signalbox.ts', import.meta.url))
const files = {
  'signalbox.yaml': `name: acme
connections:
  openai: { provider: openai }
models:
  small: [openai/gpt-5-mini]
catalogue:
  openai/gpt-5-mini: { input: 1, output: 10 }
`,
  'policies/a.policy.ts': `import { route, rule, use } from '@signalbox/policies'
export default route('a', { onError: 'deny', rules: [
  rule('long', { when: (f) => f.request.route.length > 3, then: () => use('small').maxOutputTokens(100) }),
  rule('never', { when: (f) => f.request.bytes < 0, then: () => use('small').maxOutputTokens(100) }),
  rule('rest', { then: () => use('small').maxOutputTokens(200) }),
] })
`,
}
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-check-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

const check = (...options: string[]) => run('check', ...options)
function run(verb: string, ...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = [program, verb, folder, ...options]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: { ...process.env, NO_COLOR: '1' } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

describe('signalbox check', () => {
  it('says what is wrong, what stands there, what it cannot read and what calls cost', async () => {
    const { code, stdout, stderr } = await check()
    expect(code).toBe(0)
    expect(stderr).toContain('policies/a.policy.ts:4:32 warning `f.request.bytes < 0` is never true')
    expect(stderr).toContain('  | f.request.bytes < 0, then:')
    expect(stderr).toContain('  see policies/README.md#never_true')
    expect(stdout).toContain('; 1/2 conditions analysable\n')
    expect(stdout).toContain(
      'policies/a.policy.ts:3:31 not analysable: f.request.route.length > 3 (it compares something else',
    )
    // 1,000 tokens at 1 USD and 200 at 10 USD a million.
    expect(stdout).toContain(
      '  route a: at most $0.003 per call with 1,000 input tokens (1 attempt), by rule "rest"\n',
    )
  })

  it('fails on warnings with --strict, bounds another size, and puts all of it into JSON', async () => {
    const { code, stdout } = await check('--strict', '--format', 'json', '--input-tokens', '2000')
    expect(code).toBe(1)
    const document = JSON.parse(stdout)
    expect(document.digest).toMatch(/^sha256:/)
    expect(document.problems).toContainEqual(
      expect.objectContaining({ code: 'never_true', line: 4, link: 'policies/README.md#never_true' }),
    )
    expect(document.conditions).toMatchObject({ conditions: 2, lifted: 1, opaque: [{ rule: 'a/long' }] })
    const bound = {
      route: 'a',
      rule: 'long',
      costNanoUsd: '3000000',
      attempts: 1,
      unpriced: [],
      unlimited: [],
    }
    expect(document.costs).toContainEqual(expect.objectContaining(bound))
  })
})

describe('signalbox test', () => {
  it('annotates cases that fail, at their place', async () => {
    mkdirSync(join(folder, 'tests'))
    const suite = 'policy: a\ncases:\n  - name: denies\n    expect: { effect: deny }\n'
    writeFileSync(join(folder, 'tests/a.cases.yaml'), suite)
    const { code, stdout } = await run('test', '--format', 'github')
    rmSync(join(folder, 'tests'), { recursive: true })
    expect(code).toBe(1)
    const place = `::error file=${folder}/tests/a.cases.yaml,line=3,col=5,title=case_failed::case "denies": `
    expect(stdout).toContain(place)
  })
})

describe('formats', () => {
  const problem = {
    severity: 'note',
    code: 'no_fallback',
    file: 'policies/a,b.policy.ts',
    line: 3,
    column: 5,
    message: '100 % of calls',
    text: 'rule(',
    link: 'policies/README.md#no_fallback',
  } as const

  it('of GitHub escape what would end a command, and call a note a notice', () => {
    expect(githubAnnotations([problem], 'w')).toEqual([
      '::notice file=w/policies/a%2Cb.policy.ts,line=3,col=5,title=no_fallback::100 %25 of calls%0Aat: rule(%0Asee policies/README.md#no_fallback',
    ])
  })

  it('of SARIF name the rule with its section, the place and what stands there', () => {
    expect(sarifReport([problem], 'w')).toMatchObject({
      runs: [
        {
          tool: {
            driver: { rules: [{ id: 'no_fallback', help: { text: 'See policies/README.md#no_fallback' } }] },
          },
          results: [
            {
              level: 'note',
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 'w/policies/a,b.policy.ts' },
                    region: { startLine: 3, startColumn: 5, snippet: { text: 'rule(' } },
                  },
                },
              ],
            },
          ],
        },
      ],
    })
  })

  it.each([
    ['0', '$0.00'],
    ['1', '$0.000001'],
    ['12500000', '$0.0125'],
    ['3000000', '$0.003'],
    ['54960000000', '$54.96'],
    ['2000000000', '$2.00'],
  ])('of money: %s', (nano, text) => expect(formatUsd(nano)).toBe(text))
})
