import { buildVersion, loadCatalogue } from '@signalbox/policies'
import { describe, expect, it } from 'vitest'

const workspace = 'name: acme\nmodels:\n  old: [openai/gpt-5, openai/gpt-5.5]\n'

async function warnings(today?: string): Promise<string[]> {
  const files = new Map([['signalbox.yaml', workspace]])
  const options = { catalogue: loadCatalogue(), typeCheck: false, ...(today !== undefined && { today }) }
  const { problems } = await buildVersion(files, options)
  return problems
    .filter(({ code }) => code === 'retiring_target')
    .map(({ line, message }) => `${line} ${message}`)
}

describe('targets that their vendor stops', () => {
  it('are warned of from thirty days before, with what the vendor names instead', async () => {
    expect(await warnings('2026-11-10')).toEqual([])
    const message = '"openai/gpt-5" will be stopped on 2026-12-11; its vendor names "gpt-6.1-sol" instead'
    expect(await warnings('2026-11-11')).toEqual([`3 ${message}`])
    expect((await warnings('2026-12-11'))[0]).toContain('was stopped on 2026-12-11')
  })

  it('are not spoken of where nobody says what day it is', async () => {
    expect(await warnings()).toEqual([])
  })
})
