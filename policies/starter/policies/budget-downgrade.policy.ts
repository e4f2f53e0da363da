import { continueRoute, param, route, rule, use } from '@signalbox/policies'

/** From this share of a budget on, in parts per million, a cheaper model answers: 800,000 is 80 %. */
const share = param.int('downgrade_ppm', { default: 800_000, min: 0, max: 1_000_000 })

/**
 * Goes on with less before a budget is used up: who asks for a large model gets `cheap` once the tightest budget on
 * the way is nearly spent. What a hard budget has no money for is refused all the same.
 */
export default route('budget-downgrade', {
  // Without knowing the budget every call goes where it asked to go.
  onError: 'continue',
  rules: [
    rule('enough-left', {
      when: (f) => (f.budget.tightest?.usedPpm ?? 0) < share() || f.request.model.tier !== 'large',
      then: () => continueRoute(),
    }),
    rule('nearly-spent', {
      then: () => use('cheap'),
    }),
  ],
})
