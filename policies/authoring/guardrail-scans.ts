/** Names that may be there, or may not, with `*` for any characters. */
interface Listed {
  /** All others are found. */
  readonly allow?: readonly string[]
  /** These are found. */
  readonly deny?: readonly string[]
}
/** One scan: its kind, and what that is told. */
export type GuardrailScan =
  | {
      /** Patterns in RE2 syntax by name; the kind of a finding is the name. */
      readonly regex: {
        readonly patterns: { readonly [name: string]: string }
        readonly ignoreCase?: boolean
        /** Characters of the longest match that counts; 256 if left out. */
        readonly charsMax?: number
      }
    }
  | { readonly terms: { readonly any: readonly string[]; readonly wholeWords?: boolean } }
  | { readonly jsonSchema: { readonly schema: boolean | object; readonly repair?: boolean } }
  | {
      readonly length: {
        readonly charsMin?: number
        readonly charsMax?: number
        readonly wordsMin?: number
        readonly wordsMax?: number
        readonly linesMax?: number
        readonly sentencesMax?: number
      }
    }
  | { readonly urls: Listed & { readonly schemes?: readonly string[] } }
  | { readonly models: Listed }
  | { readonly tools: Listed }
  | {
      /** A model says how surely the text is what `criteria` tells of. */
      readonly judge: { readonly model: string; readonly criteria: string; readonly thresholdPpm?: number }
    }
  | {
      readonly moderation: {
        readonly connection: string
        readonly model?: string
        /** Scores from which on a category is found, in parts per million. */
        readonly thresholds?: { readonly [category: string]: number }
      }
    }
  | { readonly webhook: { readonly connection: string; readonly path: string } }
/** Scans by the name under which their findings stand. */
export interface GuardrailScans {
  readonly [name: string]: GuardrailScan
}

/** Parts of a conversation, by who wrote them and what they are. */
export type TextPart =
  | 'system'
  | 'user'
  | 'assistant'
  | 'toolCall'
  | 'toolResult'
  | 'tools'
  | 'reasoning'
  | 'other'

/** One guardrail of a pipeline, and what follows from its verdict. */
export interface GuardrailStep {
  readonly guardrail: string
  /** `allow` ends the pipeline; `next` if left out. */
  readonly onPass?: 'next' | 'allow'
  /** `act` does what the guardrail says; `act` if left out. */
  readonly onFail?: 'act' | 'next' | 'allow'
  /** `block` makes it an error; `block` if left out. */
  readonly onError?: 'block' | 'next' | 'allow'
}
