import { type Static, Type } from 'typebox'
import { Ppm } from './scalars.ts'

/** Every built-in detector and the kinds of finding it can have. Kinds may be added, never renamed or removed. */
export const detectorKinds = {
  /** Languages of program text; `other` where none of them is clear. */
  code: [
    'c',
    'csharp',
    'css',
    'go',
    'html',
    'java',
    'javascript',
    'json',
    'kotlin',
    'other',
    'php',
    'python',
    'ruby',
    'rust',
    'shell',
    'sql',
    'typescript',
    'xml',
    'yaml',
  ],
  /** Ways in which a text tries to take over the model that reads it. */
  injection: [
    'exfiltration',
    'fakeTurn',
    'hiddenText',
    'ignoreInstructions',
    'jailbreak',
    'newInstructions',
    'promptLeak',
    'safetyBypass',
  ],
  /** ISO 639-1 codes of natural languages. */
  language: [
    'ar',
    'cs',
    'da',
    'de',
    'el',
    'en',
    'es',
    'fi',
    'fr',
    'he',
    'hi',
    'hu',
    'id',
    'it',
    'ja',
    'ko',
    'nl',
    'no',
    'pl',
    'pt',
    'ro',
    'ru',
    'sv',
    'th',
    'tr',
    'uk',
    'vi',
    'zh',
  ],
  /** Personal data. */
  pii: ['address', 'creditCard', 'dateOfBirth', 'email', 'iban', 'ipAddress', 'nationalId', 'phone', 'usSsn'],
  /** Keys and passwords. */
  secrets: [
    'anthropic',
    'assignment',
    'aws',
    'azure',
    'connectionString',
    'github',
    'gitlab',
    'google',
    'huggingface',
    'jwt',
    'npm',
    'openai',
    'privateKey',
    'pypi',
    'sendgrid',
    'signalbox',
    'slack',
    'stripe',
    'vendorKey',
  ],
} as const
export type DetectorId = keyof typeof detectorKinds
export type DetectorKind<Id extends DetectorId = DetectorId> = (typeof detectorKinds)[Id][number]

/** Names of the detectors, in the order of the alphabet. */
export const detectorIds = ['code', 'injection', 'language', 'pii', 'secrets'] as const satisfies DetectorId[]

/** Names of the ranks of `data.sensitivity`: the rank is the place in this list. */
export const sensitivityLabels = ['public', 'internal', 'confidential', 'restricted', 'secret'] as const

const signalOf = <Id extends DetectorId>(id: Id) =>
  Type.Optional(
    Type.Object(
      {
        hits: Type.Integer({ minimum: 0, description: 'Findings.' }),
        kinds: Type.Array(Type.Enum([...detectorKinds[id]] as DetectorKind<Id>[]), {
          maxItems: 32,
          description: 'Kinds of its findings, each once, in the order of the alphabet.',
        }),
        scorePpm: Type.Optional(Ppm),
      },
      { additionalProperties: false },
    ),
  )

/** What each detector found in a text; one that did not run, or failed, is missing. */
export const DetectorSignals = Type.Object(
  {
    code: signalOf('code'),
    injection: signalOf('injection'),
    language: signalOf('language'),
    pii: signalOf('pii'),
    secrets: signalOf('secrets'),
  },
  { additionalProperties: false, description: 'Signals of the detectors that a loaded policy reads.' },
)
export type DetectorSignals = Static<typeof DetectorSignals>
