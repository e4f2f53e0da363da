import type { Match } from '../detectors/detector.ts'
import type { CallNames, GuardrailKind } from './guardrail-kind.ts'
import { objectionTo } from './wildcard.ts'

/** Names of a call that may not be there. They are found beside the text: their places are empty. */
function permission<Kind extends 'models' | 'tools'>(kind: Kind): GuardrailKind<Kind> {
  return {
    kind,
    check: ({ allow, deny }) =>
      allow === undefined && deny === undefined ? '"allow" or "deny" is needed' : undefined,
    hold: () => ({ chars: 0, run: false }),
    create: (options) => ({
      scan(_text, names: CallNames) {
        const findings = names[kind].flatMap((name): Match[] => {
          const objection = objectionTo(name, options)
          return objection === undefined ? [] : [{ kind: objection, start: 0, end: 0 }]
        })
        return { findings }
      },
    }),
  }
}

/** Which models may be asked. */
export const models = permission('models')
/** Which tools may be offered, and called. */
export const tools = permission('tools')
