import type { DetectorId } from '@signalbox/sdk/contract'
import { code } from './code.ts'
import type { Detector } from './detector.ts'
import { injection } from './injection.ts'
import { language } from './language.ts'
import { pii } from './pii.ts'
import { secrets } from './secrets.ts'

/** The built-in detectors, by id. */
export const detectors: { readonly [Id in DetectorId]: Detector<Id> } = {
  code,
  injection,
  language,
  pii,
  secrets,
}
