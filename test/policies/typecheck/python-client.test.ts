import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writePythonClient } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWith } from '../../support/needs.ts'

const files = new Map([
  [
    'signalbox.yaml',
    `name: acme
models: { smart: [openai/gpt-5.5], cheap: [openai/gpt-5-mini] }
metadata:
  feature: { type: string }
  tier: { enum: [free, paid] }
  user-id: { type: integer }
  odd"name: { type: boolean }
`,
  ],
  [
    'prompts/summarise.prompt.md',
    `---
name: summarise
description: d
variables:
  text: { type: string }
  topics: { type: array, items: { type: string }, required: false }
---
{{ text }}{{#topics}}{{.}}{{/topics}}
`,
  ],
])
let folder: string
let file: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-python-'))
  file = (await writePythonClient(folder, files)).file
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('the Python module of a workspace', () => {
  it('types aliases, metadata and the variables of prompts', () => {
    expect(file).toBe(join(folder, '.signalbox/types/client.py'))
    const text = readFileSync(file, 'utf8')
    expect(text).toContain('AliasName = Literal["smart", "cheap"]')
    expect(text).toContain('        "tier": NotRequired[Literal["free", "paid"]],')
    expect(text).toContain('        "odd\\"name": NotRequired[bool],')
    expect(text).toContain('        "text": str,\n        "topics": NotRequired[Sequence[str]],')
    expect(text).toContain('prompt: Literal["summarise"], variables: SummariseVariables)')
  })

  it('is written only where it differs', async () => {
    expect(await writePythonClient(folder, files)).toEqual({ file, isWritten: false })
  })
})

describeWith('python3', 'the Python module, run', () => {
  it('makes the headers that a call carries', () => {
    const program = `
import json, sys
from typing import get_args, get_type_hints
sys.path.insert(0, ${JSON.stringify(join(folder, '.signalbox/types'))})
import client
print(json.dumps([
    client.headers(metadata={"feature": "déjà", "tier": "free"}, prompt="summarise", variables={"text": "hi"}),
    client.headers(),
    list(client.ALIAS_NAMES),
    sorted(client.Metadata.__optional_keys__),
    sorted(client.SummariseVariables.__required_keys__),
]))
`
    const { stdout, stderr } = spawnSync('python3', ['-c', program], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual([
      {
        'x-signalbox-metadata': '{"feature": "d\\u00e9j\\u00e0", "tier": "free"}',
        'x-signalbox-prompt': 'summarise',
        'x-signalbox-variables': '{"text": "hi"}',
      },
      {},
      ['smart', 'cheap'],
      ['feature', 'odd"name', 'tier', 'user-id'],
      ['text'],
    ])
  })
})
