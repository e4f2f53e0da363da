// Generated from sdk/contract/facts.ts by test/policies/compile/authoring-facts.test.ts (vitest -u).
/** What policies may know of a call. */
export interface Facts {
  readonly schema: 'facts/1'
  readonly phase: 'route' | 'input' | 'output'
  /** Milliseconds since 1970-01-01 UTC. */
  readonly nowMs: number
  /** Random number drawn by the host. */
  readonly seed: number
  readonly environment: {
    /** Name: lower-case letters, digits, `.`, `_`, `-`; at most 63. */
    readonly name: string
    /** Region of the gateway, or empty. */
    readonly region: string
  }
  readonly request: {
    /** Unique id (UUIDv7), ordered by time. */
    readonly id: string
    readonly operation: 'chat' | 'embeddings' | 'completion' | 'rerank' | 'image' | 'audio' | 'moderation' | 'countTokens' | 'files' | 'batches' | 'realtime' | 'passthrough'
    /** Wire format of the caller: `openai-chat`, `anthropic-messages`. */
    readonly dialect: string
    /** The caller's own name for what it is doing: metadata member `route`, else empty. */
    readonly route: string
    readonly stream: boolean
    readonly model: {
      /** The model as the caller named it. */
      readonly requested: string
      /** The alias that the name meant. */
      readonly alias?: string
      /** What the name resolves to, in order. */
      readonly targets: readonly string[]
      readonly tier: 'small' | 'mid' | 'large' | 'unknown'
    }
    readonly params: {
      readonly maxOutputTokens?: number
      readonly temperaturePpm?: number
      /** Reasoning effort asked for. */
      readonly reasoningLevel?: string
      readonly responseFormat?: 'text' | 'json' | 'jsonSchema'
      /** Answers asked for (`n`). */
      readonly choices?: number
    }
    readonly prompt?: {
      /** Prompt of a workspace that the caller named; its messages stand in the call. */
      readonly name: string
      /** Version that it is of: 12 for v12. */
      readonly version: number
    }
    readonly messages: {
      /** Messages of the conversation. */
      readonly count: number
      /** Characters of text in them. */
      readonly chars: number
      readonly hasSystem: boolean
      readonly hasImages: boolean
      /** Role of the last message. */
      readonly lastRole: string
    }
    readonly tools: {
      /** Tools offered. */
      readonly count: number
      readonly names: readonly string[]
    }
    readonly estimate: {
      /** Estimated input tokens. */
      readonly inputTokens: number
      /** Estimated output tokens. */
      readonly outputTokens: number
      /** Nano-dollars (1e-9 USD), saturating at 2^53-1. */
      readonly maxCostNanoUsd?: number
    }
    /** Size of the request body. */
    readonly bytes: number
    /** Declared metadata as the caller sent it: claims, not truths. */
    readonly metadata: {
      readonly [name: string]: string | number | boolean | undefined
    }
    /** User agent of the caller. */
    readonly client?: string
  }
  readonly subject: {
    /** Unique id (UUIDv7), ordered by time. */
    readonly organisationId: string
    /** Unique id (UUIDv7), ordered by time. */
    readonly keyId: string
    /** Label of the key. */
    readonly keyName: string
    readonly node: {
      /** Unique id (UUIDv7), ordered by time. */
      readonly id: string
      /** Names from the root down, key left out. */
      readonly path: readonly string[]
    }
    readonly team?: {
      /** Unique id (UUIDv7), ordered by time. */
      readonly id: string
      /** Name: lower-case letters, digits, `.`, `_`, `-`; at most 63. */
      readonly name: string
    }
    /** End user, from the metadata or the dialect. */
    readonly userId?: string
    readonly auth: 'key'
    /** What stays with one arm of a rollout: user, else session, else key. */
    readonly stickyKey?: string
  }
  readonly session?: {
    /** Session named by the caller. */
    readonly id: string
  }
  readonly data: {
    readonly sensitivity?: {
      readonly rank: number
      /** Label of the rank. */
      readonly label: string
      readonly source: 'claim' | 'detector' | 'default'
    }
    /** Signals of the detectors that a loaded policy reads. */
    readonly detectors: {
      readonly code?: {
        /** Findings. */
        readonly hits: number
        /** Kinds of its findings, each once, in the order of the alphabet. */
        readonly kinds: readonly ('c' | 'csharp' | 'css' | 'go' | 'html' | 'java' | 'javascript' | 'json' | 'kotlin' | 'other' | 'php' | 'python' | 'ruby' | 'rust' | 'shell' | 'sql' | 'typescript' | 'xml' | 'yaml')[]
        /** Parts per million. */
        readonly scorePpm?: number
      }
      readonly injection?: {
        /** Findings. */
        readonly hits: number
        /** Kinds of its findings, each once, in the order of the alphabet. */
        readonly kinds: readonly ('exfiltration' | 'fakeTurn' | 'hiddenText' | 'ignoreInstructions' | 'jailbreak' | 'newInstructions' | 'promptLeak' | 'safetyBypass')[]
        /** Parts per million. */
        readonly scorePpm?: number
      }
      readonly language?: {
        /** Findings. */
        readonly hits: number
        /** Kinds of its findings, each once, in the order of the alphabet. */
        readonly kinds: readonly ('ar' | 'cs' | 'da' | 'de' | 'el' | 'en' | 'es' | 'fi' | 'fr' | 'he' | 'hi' | 'hu' | 'id' | 'it' | 'ja' | 'ko' | 'nl' | 'no' | 'pl' | 'pt' | 'ro' | 'ru' | 'sv' | 'th' | 'tr' | 'uk' | 'vi' | 'zh')[]
        /** Parts per million. */
        readonly scorePpm?: number
      }
      readonly pii?: {
        /** Findings. */
        readonly hits: number
        /** Kinds of its findings, each once, in the order of the alphabet. */
        readonly kinds: readonly ('address' | 'creditCard' | 'dateOfBirth' | 'email' | 'iban' | 'ipAddress' | 'nationalId' | 'phone' | 'usSsn')[]
        /** Parts per million. */
        readonly scorePpm?: number
      }
      readonly secrets?: {
        /** Findings. */
        readonly hits: number
        /** Kinds of its findings, each once, in the order of the alphabet. */
        readonly kinds: readonly ('anthropic' | 'assignment' | 'aws' | 'azure' | 'connectionString' | 'github' | 'gitlab' | 'google' | 'huggingface' | 'jwt' | 'npm' | 'openai' | 'privateKey' | 'pypi' | 'sendgrid' | 'signalbox' | 'slack' | 'stripe' | 'vendorKey')[]
        /** Parts per million. */
        readonly scorePpm?: number
      }
    }
    readonly detectorErrors: readonly string[]
    readonly scanned?: {
      /** Characters that the detectors looked at. */
      readonly chars: number
      /** Characters of text in the call. */
      readonly totalChars: number
    }
  }
  readonly budget: {
    readonly levels: readonly ({
      /** Unique id (UUIDv7), ordered by time. */
      readonly nodeId: string
      /** Path of the node: `team/search`. */
      readonly scope: string
      readonly window: 'day' | 'week' | 'month' | 'quarter' | 'year' | 'total'
      /** Nano-dollars (1e-9 USD), saturating at 2^53-1. */
      readonly limitNanoUsd: number
      /** Nano-dollars (1e-9 USD), saturating at 2^53-1. */
      readonly settledNanoUsd: number
      /** Nano-dollars (1e-9 USD), saturating at 2^53-1. */
      readonly reservedNanoUsd: number
      /** Nano-dollars (1e-9 USD), saturating at 2^53-1. */
      readonly remainingNanoUsd: number
      readonly usedPpm: number
      /** Milliseconds since 1970-01-01 UTC. */
      readonly resetsAtMs?: number
      readonly mode: 'hard' | 'soft' | 'shadow'
    })[]
    readonly tightest?: {
      /** Unique id (UUIDv7), ordered by time. */
      readonly nodeId: string
      /** Path of the node: `team/search`. */
      readonly scope: string
      readonly window: 'day' | 'week' | 'month' | 'quarter' | 'year' | 'total'
      /** Nano-dollars (1e-9 USD), saturating at 2^53-1. */
      readonly limitNanoUsd: number
      /** Nano-dollars (1e-9 USD), saturating at 2^53-1. */
      readonly settledNanoUsd: number
      /** Nano-dollars (1e-9 USD), saturating at 2^53-1. */
      readonly reservedNanoUsd: number
      /** Nano-dollars (1e-9 USD), saturating at 2^53-1. */
      readonly remainingNanoUsd: number
      readonly usedPpm: number
      /** Milliseconds since 1970-01-01 UTC. */
      readonly resetsAtMs?: number
      readonly mode: 'hard' | 'soft' | 'shadow'
    }
    /** Milliseconds since 1970-01-01 UTC. */
    readonly asOfMs: number
    readonly degraded: boolean
  }
  readonly models: readonly ({
    /** Target: `connection/model`. */
    readonly target: string
    readonly health: {
      readonly state: 'up' | 'degraded' | 'down' | 'unavailable'
      /** Parts per million. */
      readonly errorPpm: number
      /** Share that is left of the provider's tightest rate limit, where it tells. */
      readonly remainingPpm?: number
      /** Requests left of the provider's limit, where it tells. */
      readonly remainingRequests?: number
      /** Tokens left of the provider's limit, where it tells. */
      readonly remainingTokens?: number
    }
    /** The target can carry everything this call asks for. */
    readonly lossless: boolean
  })[]
  /** The state is older than it should be. */
  readonly degraded: boolean
  readonly truncated: readonly string[]
}
