import { continueRoute, inBucket, param, route, rule, use } from '@signalbox/policies'

/** How many callers get the new model, in parts per million: 50,000 is 5 %. It changes without a deployment. */
const share = param.int('canary_ppm', { default: 50_000, min: 0, max: 1_000_000 })

/**
 * Tries a newer model on a part of those who ask for `smart`. A caller stays on one side, and a larger share only
 * adds callers. All other calls go where they asked to go.
 */
export default route('canary', {
  // A broken canary stops no call: the next route is asked, and without one the caller's own model answers.
  onError: 'continue',
  rules: [
    rule('other-models', {
      when: (f) => f.request.model.alias !== 'smart',
      then: () => continueRoute(),
    }),
    rule('canary', {
      when: (f) => inBucket(f, { rollout: 'opus-5-5', ppm: share() }),
      then: () => use('anthropic/claude-opus-5-5').fallback('smart').variant('opus-5-5', 'canary'),
    }),
    rule('control', {
      then: () => use('smart').variant('opus-5-5', 'control'),
    }),
  ],
})
