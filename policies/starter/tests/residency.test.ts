import { evalPolicy, property, suite } from '@signalbox/policies/test'

// What has to hold for every call, not only for those that somebody thought of: the runner makes calls up.
suite('residency', (t) => {
  t.property(
    'a confidential call never leaves the house',
    property.facts({ 'request.metadata.sensitivity': ['confidential'] }),
    (f) => {
      const decision = evalPolicy('bundle:all', f)
      return decision.targets.every((target) => f.model(target).locality === 'on-prem')
    },
  )
})
