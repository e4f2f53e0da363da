import { blocksOf, type Feature, type Json, pdf, png, question, sayings, userParts } from './feature-row.ts'

/** Who says what, and in what form. */
export const conversation: readonly Feature[] = [
  {
    name: 'system prompt',
    asks: {
      'openai-chat': {
        messages: [
          { role: 'system', content: 'Be short.' },
          { role: 'developer', content: 'Rhyme.' },
          question,
        ],
      },
      'openai-responses': {
        instructions: 'Be short.',
        input: [{ role: 'developer', content: 'Rhyme.' }, question],
      },
      'anthropic-messages': {
        system: [
          { type: 'text', text: 'Be short.' },
          { type: 'text', text: 'Rhyme.' },
        ],
      },
      gemini: { systemInstruction: { parts: [{ text: 'Be short.' }, { text: 'Rhyme.' }] } },
      'vercel-ai': {
        prompt: [
          { role: 'system', content: 'Be short.' },
          { role: 'user', content: [{ type: 'text', text: 'q' }] },
        ],
      },
    },
    read: (payload) =>
      sayings(payload, 'system')
        .map(String)
        .join('')
        .replace(/system,|\s/g, ''),
  },
  {
    name: 'system message in the middle',
    asks: {
      'openai-chat': {
        messages: [
          question,
          { role: 'assistant', content: 'a' },
          { role: 'system', content: 'Now rhyme.' },
          question,
        ],
      },
      'openai-responses': {
        input: [
          question,
          { role: 'assistant', content: 'a' },
          { role: 'developer', content: 'Now rhyme.' },
          question,
        ],
      },
      'anthropic-messages': {
        messages: [
          question,
          { role: 'assistant', content: 'a' },
          question,
          { role: 'system', content: 'Now rhyme.' },
        ],
      },
    },
    read: (payload) => sayings(payload, 'system'),
  },
  {
    name: 'roles that do not alternate',
    asks: {
      'openai-chat': {
        messages: [
          question,
          { role: 'user', content: 'r' },
          { role: 'assistant', content: 'a' },
          { role: 'user', content: 's' },
        ],
      },
      'openai-responses': {
        input: [
          question,
          { role: 'user', content: 'r' },
          { role: 'assistant', content: 'a' },
          { role: 'user', content: 's' },
        ],
      },
      'anthropic-messages': {
        messages: [
          question,
          { role: 'user', content: 'r' },
          { role: 'assistant', content: 'a' },
          { role: 'user', content: 's' },
        ],
      },
      gemini: {
        contents: ['q', 'r']
          .map((text) => ({ role: 'user', parts: [{ text }] }))
          .concat({ role: 'model', parts: [{ text: 'a' }] }, { role: 'user', parts: [{ text: 's' }] }),
      },
      'vercel-ai': {
        prompt: [
          ...['q', 'r'].map((text) => ({ role: 'user', content: [{ type: 'text', text }] })),
          { role: 'assistant', content: [{ type: 'text', text: 'a' }] },
          { role: 'user', content: [{ type: 'text', text: 's' }] },
        ],
      },
    },
    read: (payload) => sayings(payload),
  },
  {
    name: 'name of who speaks',
    asks: { 'openai-chat': { messages: [{ role: 'user', content: 'q', name: 'ann' }] } },
    read: ({ messages }) => messages.map(({ name }) => name),
  },
  {
    name: 'image in the request',
    asks: userParts({
      'openai-chat': [{ type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } }],
      'openai-responses': [{ type: 'input_image', image_url: `data:image/png;base64,${png}` }],
      'anthropic-messages': [
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
      ],
      gemini: [{ inlineData: { mimeType: 'image/png', data: png } }],
      'vercel-ai': [{ type: 'file', mediaType: 'image/png', data: png }],
    }),
    read: (payload) => blocksOf(payload, 'image').map((block) => ({ ...(block as Json), detail: undefined })),
  },
  {
    name: 'image at a URL',
    asks: userParts({
      'openai-chat': [{ type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'low' } }],
      'openai-responses': [{ type: 'input_image', image_url: 'https://x.test/a.png', detail: 'low' }],
      'anthropic-messages': [{ type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } }],
      gemini: [{ fileData: { mimeType: 'image/png', fileUri: 'https://x.test/a.png' } }],
      'vercel-ai': [{ type: 'file', mediaType: 'image/png', data: 'https://x.test/a.png' }],
    }),
    read: (payload) => blocksOf(payload, 'image').map((block) => (block as Json).url),
  },
  {
    name: 'file by id',
    asks: userParts({
      'openai-chat': [{ type: 'file', file: { file_id: 'file-1' } }],
      'openai-responses': [
        { type: 'input_image', file_id: 'file-1' },
        { type: 'input_file', file_id: 'file-2' },
      ],
      'anthropic-messages': [{ type: 'document', source: { type: 'file', file_id: 'file_1' } }],
      gemini: [
        {
          fileData: {
            mimeType: 'image/png',
            fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/a',
          },
        },
      ],
    }),
  },
  {
    name: 'PDF',
    asks: userParts({
      'openai-chat': [
        { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${pdf}` } },
      ],
      'openai-responses': [
        { type: 'input_file', filename: 'a.pdf', file_data: `data:application/pdf;base64,${pdf}` },
      ],
      'anthropic-messages': [
        {
          type: 'document',
          source: { type: 'base64', media_type: 'application/pdf', data: pdf },
          title: 'a.pdf',
          context: 'From ann',
          citations: { enabled: true },
        },
      ],
      gemini: [{ inlineData: { mimeType: 'application/pdf', data: pdf, displayName: 'a.pdf' } }],
      'vercel-ai': [{ type: 'file', mediaType: 'application/pdf', data: pdf, filename: 'a.pdf' }],
    }),
    read: (payload) => blocksOf(payload, 'document').map((block) => (block as Json).base64),
  },
  {
    name: 'document of text',
    asks: userParts({
      'anthropic-messages': [
        {
          type: 'document',
          source: { type: 'text', media_type: 'text/plain', data: 'Long.' },
          title: 'Book',
        },
      ],
    }),
  },
  {
    name: 'PDF at a URL',
    asks: userParts({
      'openai-responses': [{ type: 'input_file', file_url: 'https://x.test/a.pdf' }],
      'anthropic-messages': [{ type: 'document', source: { type: 'url', url: 'https://x.test/a.pdf' } }],
      gemini: [{ fileData: { mimeType: 'application/pdf', fileUri: 'https://x.test/a.pdf' } }],
      'vercel-ai': [{ type: 'file', mediaType: 'application/pdf', data: 'https://x.test/a.pdf' }],
    }),
    read: (payload) => blocksOf(payload, 'document').map((block) => (block as Json).url),
  },
  {
    name: 'audio',
    asks: {
      ...userParts({
        'openai-chat': [{ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }],
        'openai-responses': [{ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }],
        gemini: [{ inlineData: { mimeType: 'audio/wav', data: 'UklGRg==' } }],
        'vercel-ai': [{ type: 'file', mediaType: 'audio/wav', data: 'UklGRg==' }],
      }),
    },
    read: (payload) => blocksOf(payload, 'audio'),
  },
  {
    name: 'audio in the answer',
    asks: {
      'openai-chat': { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } },
      gemini: {
        generationConfig: {
          responseModalities: ['AUDIO'],
          speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } },
        },
      },
    },
  },
  {
    name: 'video',
    asks: userParts({
      gemini: [
        { inlineData: { mimeType: 'video/mp4', data: 'AAAA' }, videoMetadata: { startOffset: '1s' } },
        { fileData: { fileUri: 'https://x.test/a.mp4', mimeType: 'video/mp4' } },
      ],
      'vercel-ai': [{ type: 'file', mediaType: 'video/mp4', data: 'AAAA' }],
    }),
  },
]
