import type { GuardrailScan } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { checkScan, createScan, holdOfScan } from '../../../policies/guardrail-kinds/all-kinds.ts'
import type { CallNames } from '../../../policies/guardrail-kinds/guardrail-kind.ts'
import { readJudgement } from '../../../policies/guardrail-kinds/judge.ts'
import { readModeration } from '../../../policies/guardrail-kinds/moderation.ts'
import { repairJson } from '../../../policies/guardrail-kinds/repair-json.ts'
import { readWebhook } from '../../../policies/guardrail-kinds/webhook.ts'
import { fitsWildcard } from '../../../policies/guardrail-kinds/wildcard.ts'

const nobody: CallNames = { models: [], tools: [] }
/** What a scan finds, as kind and text. */
function found(scan: GuardrailScan, text: string, names = nobody): string[] {
  const made = createScan(scan)
  if (made === undefined) throw new Error('asks others')
  return made.scan(text, names).findings.map(({ kind, start, end }) => `${kind}:${text.slice(start, end)}`)
}

describe('a regex scan', () => {
  const patterns = { ticket: 'T-[0-9]{4}', name: '(?i)falcon' }
  it('finds what its patterns match, by their names', () => {
    expect(found({ regex: { patterns } }, 'T-1234 on Falcon, T-12')).toEqual(['ticket:T-1234', 'name:Falcon'])
  })
  it('finds all of very many matches', () => {
    const text = 'T-1234 '.repeat(900)
    expect(found({ regex: { patterns } }, text)).toHaveLength(900)
  })
  it('counts no match that is longer than it says', () => {
    expect(found({ regex: { patterns: { a: 'a+' }, charsMax: 4 } }, 'aaa aaaaa')).toEqual(['a:aaa'])
    expect(holdOfScan({ regex: { patterns, charsMax: 9 } })).toEqual({ chars: 9, run: false })
  })
  it('is refused where its pattern is none, needs what is not linear, or matches nothing', () => {
    const check = (pattern: string) => checkScan({ regex: { patterns: { p: pattern } } })
    expect(check('(')).toMatch(/pattern "p" is none of RE2/)
    expect(check('(?=a)b')).toMatch(/none of RE2/)
    expect(check('(a)\\1')).toMatch(/none of RE2/)
    expect(check('a*')).toMatch(/matches where nothing stands/)
    expect(check('a+')).toBeUndefined()
  })
  it('takes linear time, whatever pattern and text', () => {
    const text = `${'a'.repeat(100_000)}!`
    const started = process.cpuUsage()
    for (const pattern of ['(a+)+$', '(a|aa)+$', '(.*a){12}$', '(x+x+)+y', 'a.*b|a', '([a-z]+)*[0-9]']) {
      found({ regex: { patterns: { pattern } } }, text)
    }
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(4000)
  })
})

describe('a scan for terms', () => {
  it('finds whole words without regard to case, or parts of words where it is told', () => {
    const any = ['Project Falcon', 'ACME']
    expect(found({ terms: { any } }, 'project FALCON at Acme, not acmes')).toEqual([
      'term:project FALCON',
      'term:Acme',
    ])
    expect(found({ terms: { any, wholeWords: false } }, 'the acmes')).toEqual(['term:acme'])
  })
  it('is refused where a term is hardly one', () => {
    expect(checkScan({ terms: { any: ['x'] } })).toMatch(/shorter than two/)
  })
})

describe('a scan for JSON', () => {
  const schema = {
    type: 'object',
    properties: { id: { type: 'string', pattern: '^(a+)+$' } },
    required: ['id'],
  }
  it('tells what is no JSON from what does not fit, with patterns in linear time', () => {
    expect(found({ jsonSchema: { schema } }, '{"id":"aaa"}')).toEqual([])
    expect(found({ jsonSchema: { schema } }, '{"id":1}')).toEqual(['notOfSchema:{"id":1}'])
    expect(found({ jsonSchema: { schema } }, 'No.')).toEqual(['notJson:No.'])
    expect(found({ jsonSchema: { schema } }, JSON.stringify({ id: `${'a'.repeat(30_000)}!` }))).toHaveLength(
      1,
    )
  })
  it('repairs what was meant to be JSON, where that then fits', () => {
    const { repair } = createScan({ jsonSchema: { schema, repair: true } }) ?? {}
    expect(repair?.('Here:\n```json\n{"id":"a",}\n```')).toBe('{"id":"a"}')
    expect(repair?.('{"id":"aa')).toBe('{"id":"aa"}')
    expect(repair?.('{"other":1}')).toBeUndefined()
    expect(repairJson('none')).toBeUndefined()
    expect(repairJson('[1,[2,{"a":3')).toBe('[1,[2,{"a":3}]]')
  })
  it('is refused where its schema is none', () => {
    expect(checkScan({ jsonSchema: { schema: { type: 'nothing' } } })).toMatch(/not a valid JSON Schema/)
  })
})

it('a scan for length finds what is too long or too short', () => {
  expect(found({ length: { charsMax: 5 } }, 'Hello there')).toEqual(['tooLong: there'])
  expect(found({ length: { charsMin: 3 } }, 'Hi')).toEqual(['tooShort:Hi'])
  expect(found({ length: { wordsMax: 2, linesMax: 1, sentencesMax: 1 } }, 'One. Two.\nThree')).toHaveLength(3)
  expect(checkScan({ length: { wordsMin: 9, wordsMax: 3 } })).toMatch(/greater than/)
})

it('a scan for URLs finds all, or those of hosts that are not allowed', () => {
  const text = 'See https://a.example.org/x?y=1. Or (http://evil.test/), or ftp://old.example.org'
  expect(found({ urls: {} }, text)).toEqual(['url:https://a.example.org/x?y=1', 'url:http://evil.test/'])
  expect(found({ urls: { allow: ['*.example.org'], schemes: ['http', 'https', 'ftp'] } }, text)).toEqual([
    'notAllowed:http://evil.test/',
  ])
  expect(found({ urls: { deny: ['evil.*'] } }, 'https://user@EVIL.test/')).toEqual([
    'denied:https://user@EVIL.test/',
  ])
})

it('permissions look at the names of a call', () => {
  const names = { models: ['openai/gpt-5.2'], tools: ['search', 'shell_exec'] }
  expect(found({ tools: { allow: ['search'] } }, '', names)).toEqual(['notAllowed:'])
  expect(found({ tools: { deny: ['shell*'] } }, '', names)).toEqual(['denied:'])
  expect(found({ models: { allow: ['openai/*'] } }, '', names)).toEqual([])
})

it('a wildcard stands for any characters, and takes linear time', () => {
  expect(fitsWildcard('a*c*e', 'abcde')).toBe(true)
  expect(fitsWildcard('a*c*e', 'abde')).toBe(false)
  expect(fitsWildcard('*', '')).toBe(true)
  expect(fitsWildcard('ab*ba', 'aba')).toBe(false)
})

describe('what others answer', () => {
  it('is a score of a judge, or an error', () => {
    const options = { model: 'm', criteria: 'c', thresholdPpm: 600_000 }
    expect(readJudgement(options, '{"score":0.7}', 'x')).toMatchObject({
      scorePpm: 700_000,
      findings: [{ kind: 'judged' }],
    })
    expect(readJudgement(options, 'Sure: {"score":0.1}', 'x').findings).toEqual([])
    for (const answer of ['fine', '{"score":2}', '{"score":"0.1"}', '']) {
      expect(() => readJudgement(options, answer, 'x')).toThrow()
    }
  })
  it('is what the moderation endpoint flags, or what is beyond the thresholds', () => {
    const answer = {
      results: [
        { categories: { hate: true, violence: false }, category_scores: { hate: 0.9, violence: 0.4 } },
      ],
    }
    expect(readModeration({ connection: 'o' }, answer, 'x').findings.map(({ kind }) => kind)).toEqual([
      'hate',
    ])
    const thresholds = { violence: 300_000 }
    expect(readModeration({ connection: 'o', thresholds }, answer, 'x').findings).toMatchObject([
      { kind: 'violence' },
    ])
    expect(() => readModeration({ connection: 'o' }, { results: [] }, 'x')).toThrow()
  })
  it('is what a service says of its own accord, and nothing else', () => {
    expect(readWebhook({ pass: true }, 'abc').findings).toEqual([])
    expect(readWebhook({ pass: false }, 'abc').findings).toEqual([{ kind: 'failed', start: 0, end: 3 }])
    expect(
      readWebhook({ pass: false, findings: [{ kind: 'b', start: 1, end: 2 }] }, 'abc').findings,
    ).toHaveLength(1)
    for (const answer of [
      null,
      {},
      { pass: 'no' },
      { pass: false, findings: [{ kind: 'x', start: 0, end: 9 }] },
    ]) {
      expect(() => readWebhook(answer, 'abc')).toThrow()
    }
  })
})
