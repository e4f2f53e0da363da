import { type CompiledGuardrail, type DetectorId, detectorIds } from '@signalbox/sdk/contract'
import { holdOfScan } from './all-kinds.ts'
import type { StreamHold } from './guardrail-kind.ts'

/**
 * What the built-in detectors need of a stream. Keys, tokens and URLs with passwords may be long, but are one run; of
 * a private key the first lines tell, from where on it is held until its end. `code` and `language` judge a text as a
 * whole.
 */
const builtIn: Readonly<Record<DetectorId, StreamHold | undefined>> = {
  code: undefined,
  injection: { chars: 368, run: false },
  language: undefined,
  pii: { chars: 144, run: true },
  secrets: { chars: 128, run: true },
}
const isBuiltIn = (name: string): name is DetectorId => Object.hasOwn(builtIn, name)

/** Facts that are known when the whole text is there. */
const wholeTextFacts = [
  '*',
  'text',
  'text.chars',
  'text.first',
  'text.last',
  'text.lastStart',
  'text.scannedChars',
]

/** Detectors that run for a guardrail. */
export const detectorsOf = ({
  detectors,
  scan,
}: Pick<CompiledGuardrail, 'detectors' | 'scan'>): readonly string[] =>
  detectors ?? [...detectorIds, ...Object.keys(scan ?? {})]

function holdOf(name: string, { scan }: Pick<CompiledGuardrail, 'scan'>): StreamHold | undefined {
  const own = scan?.[name]
  if (own !== undefined) return holdOfScan(own)
  return isBuiltIn(name) ? builtIn[name] : { chars: 0, run: false }
}

/** The longer of two. */
export const longerHold = (one: StreamHold, other: StreamHold): StreamHold => ({
  chars: Math.max(one.chars, other.chars),
  run: one.run || other.run,
})

/** What a guardrail needs of a stream: how much is held back, or why the whole answer has to be there first. */
export function streamNeedOf(
  guardrail: Pick<CompiledGuardrail, 'detectors' | 'scan' | 'reads'>,
): { readonly hold: StreamHold } | { readonly whole: string } {
  const { reads = ['*'] } = guardrail
  const fact = wholeTextFacts.find((each) => reads.includes(each))
  if (fact !== undefined)
    return { whole: fact === '*' ? 'it reads facts that no analysis can name' : `it reads ${fact}` }
  let hold: StreamHold = { chars: 0, run: false }
  for (const name of detectorsOf(guardrail)) {
    const own = holdOf(name, guardrail)
    if (own === undefined) return { whole: `"${name}" judges a text as a whole` }
    hold = longerHold(hold, own)
  }
  return { hold }
}
