import type { StoredCollection } from '../stored-collection.ts'

const below = (name: string): RegExp =>
  new RegExp(`^((?:/api)?/v1)/${name}(?:/([^/?#]*))?(/[a-z]+)?(?:\\?(.*))?$`, 's')
const shared = { dialect: 'openai', format: 'openai-chat' } as const

/** What OpenAI keeps. Source: API reference, Files and Batch. */
export const openAiCollections: Readonly<Record<'files' | 'batches', StoredCollection>> = {
  files: { ...shared, name: 'files', operation: 'files', shape: below('files'), root: () => '/files' },
  batches: {
    ...shared,
    name: 'batches',
    operation: 'batches',
    shape: below('batches'),
    root: () => '/batches',
    required: { input_file_id: 'string' },
    input: 'input_file_id',
    job: 'openai',
  },
}
