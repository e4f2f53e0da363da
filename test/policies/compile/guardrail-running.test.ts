import { buildVersion, loadCatalogue } from '@signalbox/policies'
import { describe, expect, it } from 'vitest'

const catalogue = loadCatalogue()
const base = { kind: 'guardrail', id: 'g', then: { block: { code: 'C' } } }
const terms = { words: { terms: { any: ['falcon'] } } }

/** Problems of a workspace with these guardrails: `code message`. */
async function problemsOf(...guardrails: readonly object[]): Promise<string[]> {
  const files = guardrails.map(
    (each, index) => [`guardrails/g${index}.guardrail.json`, JSON.stringify({ ...base, ...each })] as const,
  )
  const { problems } = await buildVersion(new Map([['signalbox.yaml', 'name: acme\n'], ...files]), {
    catalogue,
    typeCheck: false,
  })
  return problems.map(({ severity, code, message }) => `${severity} ${code} ${message}`)
}

describe('what a guardrail asks for that its phase does not have', () => {
  it.each([
    ['a stream of an input', { direction: 'input', stream: 'hold', scan: terms }, 'an input comes whole'],
    [
      'a part that no answer has',
      { direction: 'output', parts: ['user'], scan: terms },
      'an answer has no part "user"',
    ],
    [
      'an answer that is put back',
      { direction: 'output', scan: terms, then: { redact: { code: 'C', reversible: true } } },
      '"reversible" is for inputs',
    ],
    [
      'parts of a stream for what needs the whole',
      { direction: 'output', stream: 'window', scan: { l: { length: { charsMax: 9 } } } },
      '"l" judges a text as a whole',
    ],
    [
      'a detector that there is not',
      { direction: 'input', when: { gt: [{ fact: 'findings.pi.hits', or: 0 }, 0] } },
      'there is no detector "pi"',
    ],
    [
      'a pattern that is none',
      { direction: 'input', scan: { r: { regex: { patterns: { p: '(?=a)' } } } } },
      'none of RE2',
    ],
    [
      'limits that exclude each other',
      { direction: 'input', scan: { l: { length: { charsMin: 9, charsMax: 1 } } } },
      'greater than',
    ],
    [
      'a connection that there is not',
      { direction: 'input', scan: { w: { webhook: { connection: 'nobody', path: '/x' } } } },
      'nobody',
    ],
    [
      'a judge that there is not',
      { direction: 'input', scan: { j: { judge: { model: 'nobody/m', criteria: 'c' } } } },
      'nobody',
    ],
    [
      'a threshold out of range',
      { direction: 'input', scan: { j: { judge: { model: 'm', criteria: 'c', thresholdPpm: 2_000_000 } } } },
      'thresholdPpm',
    ],
    ['a share out of range', { direction: 'input', samplePpm: 0, scan: terms }, 'samplePpm'],
    ['a kind of scan that there is not', { direction: 'input', scan: { x: { regexp: {} } } }, 'regexp'],
    [
      'a pipeline of nobody',
      { direction: 'input', then: undefined, pipeline: [{ guardrail: 'nobody' }] },
      'unknown guardrail "nobody"',
    ],
  ])('%s is an error', async (_, guardrail, message) => {
    const problems = await problemsOf(guardrail)
    expect(problems.filter((each) => each.startsWith('error')).join('\n')).toContain(message)
  })

  it('what is right has no problems, and a pipeline needs no rules', async () => {
    const chain = {
      id: 'chain',
      direction: 'input',
      then: undefined,
      pipeline: [{ guardrail: 'g', onFail: 'act' }],
    }
    expect(
      await problemsOf({ direction: 'input', scan: terms, level: 'audit', parts: ['user'] }, chain),
    ).toEqual([])
  })
})
