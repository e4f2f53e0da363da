import { block, flag, guardrail, redact, rule } from '@signalbox/policies'

/** More people than this in one answer is a list of people, which nobody asks an assistant for. */
const peopleMax = 20

/**
 * Personal data that a model puts into an answer. All rules are asked, and of what they say the strongest holds:
 * `block` before `refuse`, `redact`, `flag`.
 */
export default guardrail('personal-data', {
  direction: 'output',
  rules: [
    rule('whole-list', {
      when: (f) => (f.findings.pii?.hits ?? 0) > peopleMax,
      then: () => block('PERSONAL_DATA', { message: 'The answer is a list of personal data.' }),
    }),
    rule('some', {
      when: (f) => (f.findings.pii?.hits ?? 0) > 0,
      then: () => redact('PERSONAL_DATA', { with: '[{kind}]' }),
    }),
    rule('not-read-to-the-end', {
      when: (f) => f.text.scannedChars < f.text.chars,
      then: () => flag('NOT_SCANNED'),
    }),
  ],
})
