import { CompiledWorkspace } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { afterAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { readRelease, refusalOf, startPushing } from '../pushing.ts'
import { workspaceFiles } from '../workspace-files.ts'

const { controlPlane, client, gateway } = await startPushing(await createTestDatabase())
afterAll(() => controlPlane.stop())

const prompt = (text: string) =>
  `---\nname: support\nvariables: { tier: { enum: [free, paid] } }\n---\n${text}`
const push = (text: string) =>
  client.pushVersion({
    files: workspaceFiles({ 'prompts/support.prompt.md': prompt(text) }),
    environment: 'development',
  })

describe('a prompt of a version', () => {
  it('is rendered as a gateway renders it', async () => {
    const { version } = await push('You help a {{ tier }} customer.')
    const rendered = await client.renderPrompt({
      version: `v${version}`,
      prompt: 'support',
      variables: { tier: 'paid' },
    })
    expect(rendered).toEqual({
      version,
      digest: expect.stringMatching(/^sha256:/),
      messages: [{ role: 'system', text: 'You help a paid customer.' }],
    })
  })

  it('says which variable is wrong, and which prompt is not there', async () => {
    const wrong = { version: 'v1', prompt: 'support', variables: { tier: 'gold' } }
    expect(await refusalOf(client.renderPrompt(wrong))).toMatchObject({
      status: 400,
      param: 'variables.tier',
    })
    const missing = { version: 'v1', prompt: 'suport', variables: {} }
    expect(await refusalOf(client.renderPrompt(missing))).toMatchObject({ status: 404, code: 'not_found' })
  })

  it('stays in the releases after it, for callers who name the version; ten versions back', async () => {
    const numbers: number[] = []
    for (let edit = 0; edit < 12; edit++) numbers.push((await push(`Edit ${edit}: {{ tier }}.`)).version)
    const { workspaces } = await readRelease(gateway)
    const kept = workspaces[0]?.kept ?? []
    expect(kept.map(({ number }) => number)).toEqual(numbers.slice(1, -1).reverse())
    const bytes = await (await gateway.blob(kept[0]?.workspace.digest ?? '')).text()
    const compiled: unknown = JSON.parse(bytes)
    if (!fits(CompiledWorkspace, compiled)) throw new Error('this is no workspace')
    expect(JSON.stringify(compiled.prompts[0]?.messages)).toContain('Edit 10: ')
  })
})
