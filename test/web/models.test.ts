import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CatalogueModel, ConnectionStatus } from '@signalbox/sdk'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { costOfCall, filterModels, formatPerMillion } from '../../web/models/model-filter.ts'
import { joinModels } from '../../web/models/offered-models.ts'
import { accessFaults, launchBrowser, newContext, takePicture } from '../support/browser.ts'
import { type RunningSignalbox, startSignalbox } from '../support/running-signalbox.ts'

const model = (rest: Partial<CatalogueModel>): CatalogueModel => ({
  provider: 'openai',
  id: 'gpt-5.2',
  spellings: [],
  prices: [{ units: { input: 2_000_000, output: 8_000_000 } }],
  ...rest,
})
const connection = (name: string, provider: string): ConnectionStatus => ({
  name,
  provider,
  environment: 'production',
  source: 'workspace',
  baseUrl: null,
  credential: null,
  locality: name === 'local' ? 'on-prem' : 'cloud',
  status: 'available',
  secretSetMs: null,
})

describe('models of an environment', () => {
  const joined = joinModels({
    models: [
      model({}),
      model({ provider: 'anthropic', id: 'claude-opus-4-8', spellings: ['claude-opus-4-8-########'] }),
      model({ provider: 'groq', id: 'llama' }),
    ],
    vendors: [],
    connections: [
      connection('main', 'openai'),
      connection('anthropic', 'anthropic'),
      connection('local', 'openai-compatible'),
    ],
    aliases: [['smart', ['anthropic/claude-opus-4-8-20260701', 'main/gpt-5.2']]],
    overrides: [
      ['main/gpt-5.2', { input: 1.25 }],
      ['local/llama3.3', { input: 0, output: 0, contextTokens: 128_000 }],
    ],
  })
  const named = (key: string) => joined.find((each) => each.key === key)

  it('know their connections, aliases in any spelling, and the prices of the workspace', () => {
    expect(joined.map(({ key }) => key)).toEqual([
      'local/llama3.3',
      'openai/gpt-5.2',
      'anthropic/claude-opus-4-8',
      'groq/llama',
    ])
    expect(named('openai/gpt-5.2')?.model.prices).toEqual([
      { units: { input: 1_250_000, output: 8_000_000 } },
    ])
    expect(named('openai/gpt-5.2')?.connections.map(({ name }) => name)).toEqual(['main'])
    expect(named('anthropic/claude-opus-4-8')?.aliases).toEqual(['smart'])
    expect(named('local/llama3.3')?.model.contextTokens).toBe(128_000)
    expect(named('groq/llama')?.connections).toEqual([])
  })

  it('are found by words, vendors and abilities, and put in order', () => {
    const all = { q: '', vendor: '', can: '', sort: '', from: '' }
    const keys = (rest: object) => filterModels(joined, { ...all, ...rest }).map(({ key }) => key)
    expect(keys({ q: 'smart opus' })).toEqual(['anthropic/claude-opus-4-8'])
    expect(keys({ q: 'llama' })).toEqual(['local/llama3.3'])
    expect(keys({ q: 'llama', from: 'all' })).toEqual(['local/llama3.3', 'groq/llama'])
    expect(keys({ sort: 'input price' })).toEqual([
      'local/llama3.3',
      'openai/gpt-5.2',
      'anthropic/claude-opus-4-8',
    ])
    expect(keys({ vendor: 'anthropic' })).toEqual(['anthropic/claude-opus-4-8'])
    expect(keys({ can: 'tools' })).toEqual([])
  })

  it('cost what the tier of the call says, and nothing known is not nothing', () => {
    const tiers = model({
      prices: [
        { units: { input: 2_000_000, output: 8_000_000 } },
        { inputOver: 200_000, units: { input: 4_000_000, output: 12_000_000 } },
      ],
    })
    expect(costOfCall(tiers, 200_000, 1000)).toBe(200_000 * 2_000_000 + 1000 * 8_000_000)
    expect(costOfCall(tiers, 200_001, 1000)).toBe(200_001 * 4_000_000 + 1000 * 12_000_000)
    const { prices: _, ...unpriced } = model({})
    expect(costOfCall(unpriced, 1, 1)).toBeUndefined()
    expect([undefined, 0, 2_500_000, 75_000].map(formatPerMillion)).toEqual(['–', '$0', '$2.50', '$0.075'])
  })
})

describe('the page of models', () => {
  let signalbox: RunningSignalbox
  let browser: Browser
  let page: Page
  let workspace: string
  const faults: string[] = []
  const search = () => page.getByRole('searchbox')
  const table = () => page.locator('sb-model-table tbody tr')

  async function open(path: string, dark = false): Promise<Page> {
    const opened = await (await newContext(browser, { dark })).newPage()
    opened.on('pageerror', (error) => faults.push(error.message))
    await opened.goto(`${signalbox.controlPlaneUrl}${path}`)
    await opened.getByLabel('Token').fill(signalbox.rootKey)
    await opened.getByRole('button', { name: 'Sign in' }).click()
    await opened.getByRole('heading', { name: 'Models' }).waitFor()
    await opened.locator('sb-model-table').waitFor()
    return opened
  }

  beforeAll(async () => {
    workspace = mkdtempSync(join(tmpdir(), 'signalbox-models-'))
    const yaml = [
      'name: acme',
      'connections:',
      '  local: { provider: openai-compatible, baseUrl: http://127.0.0.1:11434/v1, locality: on-prem }',
      'models:',
      '  smart: [anthropic/claude-opus-4.8, openai/gpt-5.2]',
      'catalogue:',
      '  local/llama3.3: { input: 0, output: 0, contextTokens: 128000 }',
      '',
    ]
    writeFileSync(join(workspace, 'signalbox.yaml'), yaml.join('\n'))
    signalbox = await startSignalbox({ env: { SIGNALBOX_WORKSPACE: workspace } })
    browser = await launchBrowser()
    page = await open('/models')
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await signalbox?.stop()
    rmSync(workspace, { recursive: true, force: true })
  })

  it('shows what can be reached, and what everything costs', async () => {
    await page.locator('sb-model-table code', { hasText: 'local/llama3.3' }).waitFor()
    expect(await page.locator('sb-model-table tr', { hasText: 'local/llama3.3' }).textContent()).toContain(
      'stays here',
    )
    await search().fill('smart opus')
    await expect.poll(() => table().count()).toBe(1)
    const text = await table().first().textContent()
    for (const part of ['Claude Opus 4.8', 'smart', 'reasoning', '$5.00', '$25.00', 'cloud', 'no training']) {
      expect(text).toContain(part)
    }
    expect(new URL(page.url()).searchParams.get('q')).toBe('smart opus')
  })

  it('says when a model ends and what comes after it', async () => {
    await search().fill('claude-opus-4-1')
    await expect.poll(() => table().first().textContent()).toMatch(/ended 2026-08-05.*use claude-opus-4-8/s)
  })

  it('finds models that no connection reaches only when asked, and says where none is', async () => {
    await search().fill('groq/')
    await page.getByText('No such model').waitFor()
    await page.getByLabel('also without a connection here').check()
    await expect.poll(() => table().count()).toBeGreaterThan(5)
    await page.getByLabel('also without a connection here').uncheck()
  })

  it('compares up to four side by side, by address too, with the cost of a call', async () => {
    await search().fill('')
    for (const name of [
      'openai/gpt-5.2',
      'anthropic/claude-opus-4-8',
      'google/gemini-2.5-flash',
      'openai/gpt-4.1',
    ]) {
      await search().fill(name)
      await page.getByLabel(`Compare ${name}`, { exact: true }).check()
    }
    await search().fill('')
    await expect.poll(() => page.locator('sb-model-comparison th[scope=col]').count()).toBe(4)
    expect(await page.locator('sb-model-table input:not([disabled]):not(:checked)').count()).toBe(0)
    await page.getByLabel('Input tokens').fill('1000000')
    await page.getByLabel('Output tokens').fill('0')
    const cost = page.locator('sb-model-comparison tr', { hasText: 'A call of that size' })
    await expect.poll(() => cost.textContent()).toContain('$5.00')
    const again = await open(new URL(page.url()).pathname + new URL(page.url()).search)
    expect(await again.locator('sb-model-comparison th[scope=col]').count()).toBe(4)
    await again.close()
    await page.getByLabel('Take openai/gpt-4.1 out of the comparison').click()
    await expect.poll(() => page.locator('sb-model-comparison th[scope=col]').count()).toBe(3)
  })

  it.each([
    'light',
    'dark',
  ] as const)('has no accessibility fault in %s colours, wide and narrow', async (look) => {
    const other = await open(`/models${new URL(page.url()).search}`, look === 'dark')
    await other.setViewportSize({ width: 1280, height: 800 })
    expect(await accessFaults(other, look === 'dark' ? 'colours' : 'all')).toEqual([])
    await takePicture(other, `${look}-models`)
    await other.setViewportSize({ width: 390, height: 844 })
    const overflow = Number(await other.evaluate('document.documentElement.scrollWidth - innerWidth'))
    expect(overflow).toBeLessThanOrEqual(0)
    await takePicture(other, `${look}-narrow-models`)
    await other.close()
  }, 120_000)

  it('logged no error in the browser', () => {
    expect(faults).toEqual([])
  })
})
