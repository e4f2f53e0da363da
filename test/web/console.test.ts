import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, newContext, screenshotFile } from '../support/browser.ts'
import { type RunningSignalbox, startSignalbox } from '../support/running-signalbox.ts'

let signalbox: RunningSignalbox
let browser: Browser
let context: BrowserContext
let page: Page
const faults: string[] = []

async function ask(model: string, headers: Record<string, string> = {}, key?: string): Promise<Response> {
  return fetch(`${signalbox.gatewayUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key ?? (await signalbox.createKey('search'))}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
  })
}

function watch(each: Page): void {
  each.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  each.on('pageerror', (error) => faults.push(error.message))
}

async function signIn(each: Page): Promise<void> {
  await each.goto(signalbox.controlPlaneUrl)
  await each.getByLabel('Token').fill(signalbox.rootKey)
  await each.getByRole('button', { name: 'Sign in' }).click()
  await each.getByRole('heading', { name: 'Overview' }).waitFor()
}

beforeAll(async () => {
  signalbox = await startSignalbox()
  browser = await launchBrowser()
  context = await newContext(browser)
  page = await context.newPage()
  watch(page)
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await signalbox?.stop()
})

describe('the console', () => {
  it('refuses a wrong token and says so', async () => {
    await page.goto(signalbox.controlPlaneUrl)
    await page.getByLabel('Token').fill('sbr_wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    faults.length = 0
  })

  it('tells on an empty overview what to do next', async () => {
    await signIn(page)
    await page.getByText('No calls in this time').waitFor()
    await page.screenshot({ path: screenshotFile('overview-empty') })
  })

  it('shows a call within seconds of its end, and explains it', async () => {
    const answer = await ask('openai/gpt-5.2')
    const id = answer.headers.get('x-signalbox-decision') ?? ''
    await page.getByRole('link', { name: 'Decisions', exact: true }).click()
    await page.locator(`a[href="/decisions/${id}"]`).click()
    await page.getByText('sensitive-stays-local').first().waitFor()
    expect(await page.locator('.summary').textContent()).toContain('ALLOW openai/gpt-5.2 → ')
    await page.getByText('computed again: the same decision', { exact: true }).waitFor()
    await page.locator('sb-explain-tree').getByText('sensitive-stays-local', { exact: true }).click()
    await page.locator('sb-explain-tree li.false').first().waitFor()
    const change = page.locator('sb-would-change li', {
      hasText: 'request.metadata.sensitivity = "confidential"',
    })
    expect(await change.textContent()).toContain('NO_ELIGIBLE_MODEL')
    await page.screenshot({ path: screenshotFile('decision'), fullPage: true })
  })

  it('follows decisions live and filters them', async () => {
    await page.goto(`${signalbox.controlPlaneUrl}/decisions`)
    await page.getByRole('heading', { name: 'Decisions' }).waitFor()
    const key = await signalbox.createKey('live')
    const denied = await ask(
      'openai/gpt-5.2',
      { 'x-signalbox-metadata': '{"sensitivity":"confidential"}' },
      key,
    )
    expect(denied.status).toBe(403)
    const id = denied.headers.get('x-signalbox-decision') ?? ''
    await page.locator(`a[href="/decisions/${id}"]`).waitFor({ timeout: 5000 })
    await page.getByLabel('Outcome').selectOption('deny')
    await page.waitForURL(/effect=deny/)
    await page.locator(`a[href="/decisions/${id}"]`).waitFor()
    await expect.poll(() => page.locator('sb-live-decisions tbody tr').count()).toBe(1)
    await page.locator('td', { hasText: 'sensitive-stays-local confidential-on-prem-only' }).waitFor()
    await page.screenshot({ path: screenshotFile('decisions') })
  })

  it('says of a call that was never decided what was wrong with it', async () => {
    const key = await signalbox.createKey('live')
    const refused = await ask('openai/gpt-5.2', { 'x-signalbox-metadata': '{"sensitivity":"odd"}' }, key)
    const id = refused.headers.get('x-signalbox-decision') ?? ''
    await page.goto(`${signalbox.controlPlaneUrl}/decisions`)
    await page
      .locator('tr', { has: page.locator(`a[href="/decisions/${id}"]`) })
      .getByText('not decided')
      .waitFor()
    await page.locator(`a[href="/decisions/${id}"]`).click()
    await page.getByText('No policy was asked').first().waitFor()
  })

  it('shows versions with their sources and cases', async () => {
    await page.getByRole('link', { name: 'Policies' }).click()
    await page.getByRole('link', { name: 'v1' }).click()
    await page.getByRole('button', { name: 'policies/canary.policy.ts' }).click()
    await page.getByText('inBucket').first().waitFor()
    await page.getByText(/of \d+ passed/).waitFor()
    await page.screenshot({ path: screenshotFile('version'), fullPage: true })
  })

  it('makes a team and a key that works at once, and revokes it', async () => {
    await page.getByRole('link', { name: 'Access' }).click()
    await page.getByLabel('Name of the new team').fill('console-team')
    await page.getByRole('button', { name: 'Make team' }).click()
    await page.locator('td', { hasText: 'console-team' }).first().waitFor()
    const teams = page.getByLabel('Team', { exact: true })
    const path = await teams.locator('option', { hasText: 'console-team' }).textContent()
    await teams.selectOption({ label: path?.trim() ?? '' })
    await page.getByLabel('Label of the new key').fill('from-console')
    await page.getByRole('button', { name: 'Make key' }).click()
    const key = ((await page.locator('.created pre').textContent()) ?? '').trim()
    expect((await ask('openai/gpt-5.2', {}, key)).status).toBe(200)
    await page.screenshot({ path: screenshotFile('access'), fullPage: true })
    await page.getByRole('button', { name: 'Revoke from-console' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await page.locator('tr', { hasText: 'from-console' }).getByText('revoked').waitFor()
    expect((await ask('openai/gpt-5.2', {}, key)).status).toBe(401)
  })

  it('shows gateways and connections', async () => {
    await page.getByRole('link', { name: 'Gateways' }).click()
    await page.getByText('converged').waitFor()
    await page.getByText('simulated').first().waitFor()
    await page.screenshot({ path: screenshotFile('gateways'), fullPage: true })
  })

  it('can be used with the keyboard alone', async () => {
    await page.goto(signalbox.controlPlaneUrl)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    for (let step = 0; step < 4; step++) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/decisions$/)
  })

  for (const look of ['light', 'dark'] as const) {
    it(`has no accessibility fault in ${look} colours, wide and narrow`, async () => {
      const own = await newContext(browser, { dark: look === 'dark' })
      const other = await own.newPage()
      watch(other)
      await signIn(other)
      const { items } = await signalbox.client.listRecords({ effect: 'deny', limit: 1 })
      const decision = `/decisions/${items[0]?.id}`
      for (const path of ['/', '/policies', '/policies/v1', '/decisions', decision, '/access', '/gateways']) {
        await other.setViewportSize({ width: 1280, height: 800 })
        await other.evaluate(
          `history.pushState(null, '', ${JSON.stringify(path)}); dispatchEvent(new PopStateEvent('popstate'))`,
        )
        await other.locator('main h1').first().waitFor()
        await other.waitForTimeout(300)
        const { violations } = await new AxeBuilder({ page: other }).analyze()
        expect(
          violations.map((each) => `${path} ${each.id}: ${each.nodes.map((node) => node.html).join(' | ')}`),
        ).toEqual([])
        await other.screenshot({
          path: screenshotFile(`${look}${path.replaceAll('/', '-')}`),
          fullPage: true,
        })
        await other.setViewportSize({ width: 390, height: 844 })
        const overflow = Number(await other.evaluate('document.documentElement.scrollWidth - innerWidth'))
        expect(overflow, `${path} is wider than a narrow screen`).toBeLessThanOrEqual(0)
        await other.screenshot({
          path: screenshotFile(`${look}-narrow${path.replaceAll('/', '-')}`),
          fullPage: true,
        })
      }
      await own.close()
    }, 60_000)
  }

  it('logged no error in the browser', () => {
    expect(faults.filter((fault) => !fault.includes('401'))).toEqual([])
  })
})
