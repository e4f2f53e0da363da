import { type Files, policy, script } from './programs.ts'

/** A constraint with one rule that does what it should not, between two that are sound. */
export function constraintWith(rule: string, options = ''): Files {
  return {
    ...policy('constraint', 'before', [{ id: 'cap', then: { cap: { maxOutputTokens: 10 } } }]),
    ...script(
      'broken',
      `export default constraint('broken', { ${options} rules: [rule('bad', { ${rule} }), rule('good', { then: () => cap({ costNanoUsd: 5 }) })] })`,
    ),
    ...policy('constraint', 'last', [{ id: 'only', then: { only: { where: { locality: 'on-prem' } } } }]),
  }
}

export function routeWith(rule: string, options = ''): Files {
  return {
    ...script(
      'broken',
      `export default route('broken', { ${options} rules: [rule('bad', { ${rule} }), rule('good', { then: () => use('cheap') })] })`,
    ),
    ...policy('route', 'next', [{ id: 'all', then: { use: { model: 'smart' } } }]),
  }
}

/** Members of a rule that break it; `RESULT` is what it would say. */
export const throwing = "when: () => { throw new Error('oops') }, then: () => RESULT"
export const loop = 'when: () => { for (;;); }, then: () => RESULT'
export const hungry = "when: () => 'x'.repeat(2 ** 29) === '', then: () => RESULT"
