import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Client, createClient } from '@signalbox/sdk'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessFaults, launchBrowser, newContext, takePicture } from '../support/browser.ts'
import { brokenRoute } from '../support/rollout-world.ts'
import { cleanEnvironment, type RunningSignalbox, startSignalbox } from '../support/running-signalbox.ts'
import { changedFiles } from '../support/version-files.ts'

const cli = fileURLToPath(new URL('../../policies/cli/signalbox.ts', import.meta.url))
let signalbox: RunningSignalbox
let browser: Browser
let page: Page
let key = ''
/** Somebody else than whom the console is signed in as. */
let colleague: Client
const faults: string[] = []
const users = Array.from({ length: 40 }, (_, index) => `user-${index}`)
const constraint = 'policies/sensitive-stays-local.policy.json'
const denyLabs = JSON.stringify({
  kind: 'constraint',
  id: 'no-labs',
  onError: 'deny',
  rules: [
    {
      id: 'labs',
      when: { eq: [{ fact: 'request.metadata.feature', or: 'none' }, 'labs'] },
      then: { deny: { code: 'LABS_CLOSED', http: 403 } },
    },
  ],
})

/** Pushes v1 with changes; without its cases, which are about what is changed. */
async function push(changes: Parameters<typeof changedFiles>[2], said: { message: string; commit?: string }) {
  const files = await changedFiles(signalbox.client, 'v1', changes)
  const sources = files.filter(({ path }) => !path.startsWith('tests/'))
  return await colleague.pushVersion({ files: sources, author: 'ada', ...said })
}

async function call(user: string, feature = 'none'): Promise<Response> {
  const response = await fetch(`${signalbox.gatewayUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ model: 'smart', user, metadata: { feature } },
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  })
  await response.arrayBuffer()
  return response
}

async function visit(each: Page, path: string): Promise<void> {
  await each.evaluate(
    `history.pushState(null, '', ${JSON.stringify(path)}); dispatchEvent(new PopStateEvent('popstate'))`,
  )
}

async function signIn(each: Page): Promise<void> {
  each.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  each.on('pageerror', (error) => faults.push(error.message))
  await each.goto(signalbox.controlPlaneUrl)
  await each.getByLabel('Token').fill(signalbox.rootKey)
  await each.getByRole('button', { name: 'Sign in' }).click()
  await each.getByRole('heading', { name: 'Overview' }).waitFor()
}

/** What `signalbox backtest --json` prints of a workspace that denies what was recorded. */
async function backtestReport(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-backtest-'))
  cpSync(join(signalbox.dataDir, 'workspace'), folder, { recursive: true })
  writeFileSync(join(folder, 'policies/no-labs.policy.json'), denyLabs)
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [cli, 'backtest', folder, '--env', 'development', '--since', '1h', '--json'],
      {
        env: {
          ...cleanEnvironment(),
          SIGNALBOX_CONTROL_PLANE_URL: signalbox.controlPlaneUrl,
          SIGNALBOX_TOKEN: signalbox.rootKey,
        },
        maxBuffer: 16 * 1024 * 1024,
      },
    )
    return stdout
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const dialog = () => page.getByRole('dialog')
const rollout = () => visit(page, '/deployments/development')
async function shoot(name: string): Promise<void> {
  await takePicture(page, name)
}

beforeAll(async () => {
  signalbox = await startSignalbox()
  const { token } = await signalbox.client.createToken({ name: 'colleague', role: 'admin' })
  colleague = createClient({ url: signalbox.controlPlaneUrl, token })
  key = await signalbox.createKey('search')
  await push(
    {
      [constraint]: null,
      'signalbox.yaml': (text) => text.replace('cheap: [openai/gpt-5.4-mini,', 'cheap: [openai/gpt-5-nano,'),
    },
    { message: 'Let everything out', commit: '7d1f0c2a9b3e' },
  )
  await push({ 'policies/no-labs.policy.json': () => denyLabs }, { message: 'Close the labs' })
  await push(
    { 'policies/broken.policy.ts': () => brokenRoute.replace('up/good', 'smart') },
    { message: 'A route that breaks' },
  )
  browser = await launchBrowser()
  page = await (await newContext(browser)).newPage()
  page.setDefaultTimeout(12_000)
  await signIn(page)
}, 240_000)
afterAll(async () => {
  await browser?.close()
  await signalbox?.stop()
})

describe('deployments in the console', { timeout: 60_000 }, () => {
  it('shows what runs where, and says of an empty environment what to do', async () => {
    await page.getByRole('link', { name: 'Deployments' }).click()
    await page.getByText('v1 stable').waitFor()
    await shoot('deployments')
    await page.getByRole('link', { name: 'production' }).click()
    await page.getByRole('heading', { name: 'Nothing is deployed here' }).waitFor()
    await shoot('environment-empty')
  })

  it('says what a version means differently, what is weakened, and which lines differ', async () => {
    await visit(page, '/policies/v2/changes?from=v1')
    const weakened = page.getByLabel('Weakened')
    await weakened.getByText('sensitive-stays-local/confidential-on-prem-only').waitFor()
    await weakened.getByText(/is gone/).waitFor()
    await page
      .locator('.changes li', { hasText: 'alias cheap' })
      .getByText(/gpt-5.4-mini.*gpt-5-nano/)
      .waitFor()
    await page.locator('summary', { hasText: 'signalbox.yaml' }).click()
    await page.locator('tr.added', { hasText: 'cheap: [openai/gpt-5-nano' }).waitFor()
    expect(await page.locator('tr.removed').count()).toBe(1)
    await shoot('version-changes')
    await page.getByLabel('Against').selectOption('v3')
    await page.waitForURL(/from=v3/)
    await page.locator('.changes li', { hasText: 'no-labs' }).first().waitFor()
  })

  it('starts a rollout for a share of the callers and compares both arms live', async () => {
    await rollout()
    await page.getByRole('button', { name: 'Deploy a version…' }).click()
    await dialog().getByLabel('Version', { exact: true }).selectOption('2')
    await dialog().getByText('rises step by step').click()
    await dialog().getByLabel('Share of step 1').fill('30')
    await dialog().getByLabel('Share of step 1').press('Tab')
    await dialog().getByLabel('Share of step 2').fill('60')
    await dialog().getByLabel('Share of step 2').press('Tab')
    expect(await accessFaults(page)).toEqual([])
    await shoot('promote-form')
    await dialog().getByRole('button', { name: 'Start the rollout' }).click()
    await page.getByRole('img', { name: 'v2 30 %, v1 70 %' }).waitFor()
    const candidate = page.getByLabel('Both arms').locator('tr', { hasText: 'candidate' })
    // The page asks every three seconds.
    await expect
      .poll(
        async () => {
          await Promise.all(users.map((user) => call(user)))
          return Number(await candidate.locator('td').first().textContent())
        },
        { timeout: 20_000, interval: 1000 },
      )
      .toBeGreaterThan(3)
    await page
      .getByLabel('Guards')
      .locator('tr', { hasText: 'Upstream errors' })
      .getByText('too few calls')
      .waitFor()
    await page
      .getByLabel('Guards')
      .getByText('2 points more than stable; at once from 10 points more')
      .waitFor()
    await page.getByText('waiting for calls').waitFor()
    await page.getByLabel('Gateways of development').getByText('starter v1, candidate v2').waitFor()
    await shoot('rollout')
  })

  it('counts what a shadow would have decided otherwise, rule by rule, with calls that show it', async () => {
    await page.getByRole('button', { name: 'Change the rollout…' }).click()
    await dialog().getByText('Nobody: it looks on').click()
    await dialog().getByLabel('Version', { exact: true }).selectOption('3')
    await dialog().getByRole('button', { name: 'Let it look on' }).click()
    await page.getByText('No call was looked at since').waitFor()
    const row = page.getByLabel('Differences of v3').locator('tr', { hasText: 'no-labs/labs' })
    await expect
      .poll(
        async () => {
          await Promise.all(users.slice(0, 10).map((user, index) => call(user, index < 4 ? 'labs' : 'none')))
          return await row.count()
        },
        { timeout: 20_000, interval: 1000 },
      )
      .toBe(1)
    await row.getByText('allow → deny').waitFor()
    expect(await row.getByRole('link').first().getAttribute('href')).toMatch(/^\/decisions\//)
    await shoot('shadow')
    await page.getByRole('button', { name: 'Take away shadow v3' }).click()
    await dialog().getByRole('button', { name: 'Take it away' }).click()
    await page.getByRole('heading', { name: 'Shadow v3', exact: true }).waitFor({ state: 'detached' })
  })

  it('refuses a change that was decided on what somebody else changed since', async () => {
    await page.getByRole('button', { name: 'Change the rollout…' }).click()
    await colleague.promoteVersion({ version: 'v2', environment: 'development', canaryPpm: 350_000 })
    await dialog().getByLabel('Share of the callers, in percent').fill('70')
    await dialog().getByRole('button', { name: 'Change the rollout' }).click()
    await dialog()
      .getByRole('alert')
      .getByText('Something else was deployed to development meanwhile')
      .waitFor()
    await dialog().getByRole('button', { name: 'Cancel' }).click()
  })

  it('takes a candidate back with the keyboard alone, after asking', async () => {
    const button = page.getByRole('button', { name: 'Take v2 back…' })
    await page.getByRole('img', { name: 'v2 35 %, v1 65 %' }).waitFor()
    await button.focus()
    await page.keyboard.press('Enter')
    await dialog().getByRole('heading', { name: 'Take v2 back?' }).waitFor()
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'hidden' })
    await page.keyboard.press('Enter')
    await page.keyboard.type('lets too much out')
    await page.keyboard.press('Enter')
    await page.getByText('All calls are decided by v1').waitFor()
  })

  it('keeps the evidence of a candidate that its guard took back', async () => {
    await colleague.promoteVersion({ version: 'v4', environment: 'development', canaryPpm: 500_000 })
    await expect
      .poll(
        async () => {
          await Promise.all(users.slice(0, 20).map((user) => call(user)))
          const { items } = await signalbox.client.listDeployments({ environment: 'development', limit: 1 })
          return items[0]?.cause
        },
        { timeout: 20_000 },
      )
      .toBe('guard')
    await page.getByRole('link', { name: 'History' }).click()
    const entry = page.locator('li.guard').first()
    await entry.getByText('Policy errors:').waitFor()
    await page.locator('li', { hasText: '“lets too much out”' }).getByText('rolled back').waitFor()
    const origin = page.locator('li', { hasText: 'Let everything out' }).first()
    await origin.getByText('7d1f0c2a9b').waitFor()
    await origin.getByText('Git', { exact: true }).waitFor()
    await shoot('history')
    await entry.getByRole('link', { name: 'Evidence of revision' }).click()
    await page.getByText(/tripwire in gateway/).waitFor()
    await page.getByText(/calls failed in/).waitFor()
    await page.locator('sb-evidence-card').getByRole('link').first().waitFor()
    await shoot('evidence')
  })

  it('goes back to any version that was stable, from the history too', async () => {
    await colleague.promoteVersion({ version: 'v3', environment: 'development' })
    await rollout()
    await page.getByRole('button', { name: 'Roll back to v1…' }).waitFor()
    await page.getByRole('link', { name: 'History' }).click()
    await page.getByText('v3 stable').waitFor()
    await page.getByRole('button', { name: 'Roll back to v1…' }).click()
    await dialog().getByLabel('Why').fill('the labs are needed')
    await dialog().getByRole('button', { name: 'Roll back to v1' }).click()
    await page
      .locator('li.rollback', { hasText: '“the labs are needed”' })
      .getByText('now', { exact: true })
      .waitFor()
  })

  it('freezes with a reason, says what that stops, and ends it part by part', async () => {
    await rollout()
    await page.getByRole('button', { name: 'Freeze…' }).click()
    await dialog().getByText('Candidates: all calls').click()
    await dialog().getByLabel('A policy that is not to be asked').fill('budget-downgrade')
    await dialog().getByLabel('Why').fill('launch day')
    expect(await accessFaults(page)).toEqual([])
    await shoot('freeze')
    await dialog().getByRole('button', { name: 'Freeze' }).click()
    await page.getByRole('heading', { name: 'Frozen: launch day' }).waitFor()
    await page.getByText('starter/budget-downgrade is not asked').waitFor()
    await page.getByRole('button', { name: 'Deploy a version…' }).click()
    await dialog().getByRole('button', { name: 'Start the rollout' }).click()
    await dialog().getByRole('alert').getByText('launch day').waitFor()
    await dialog().getByRole('button', { name: 'Cancel' }).click()
    await shoot('frozen')
    for (const what of ['the policy budget-downgrade', 'candidates', 'deployments']) {
      await page.getByRole('button', { name: `Unfreeze ${what}` }).click()
      await dialog().getByRole('button', { name: 'Unfreeze' }).click()
      await dialog().waitFor({ state: 'hidden' })
    }
    await page.getByRole('heading', { name: 'Frozen: launch day' }).waitFor({ state: 'hidden' })
  })

  it('lets another person approve, with a note, and nobody their own request', async () => {
    const files = await changedFiles(signalbox.client, 'v1', {
      'signalbox.yaml': (text) => `${text}\nenvironments:\n  production: { approvals: 1 }\n`,
    })
    const asked = { files, environment: 'production', message: 'Four eyes from now on' }
    expect((await signalbox.client.pushVersion(asked)).deployment?.status).toBe('awaiting_approval')
    await visit(page, '/deployments/production')
    const cards = page.locator('sb-approval-card')
    await cards.first().getByRole('button', { name: 'Approve v5' }).click()
    await dialog().getByLabel('Your name').fill('Grace')
    await dialog().getByRole('button', { name: 'Approve' }).click()
    await dialog().getByRole('alert').getByText('somebody else has to agree').waitFor()
    await shoot('approve-own')
    await dialog().getByRole('button', { name: 'Cancel' }).click()
    await cards.first().getByRole('button', { name: 'Reject v5' }).click()
    await dialog().getByLabel('Your name').fill('Grace')
    await dialog().getByLabel('Note').fill('taken back')
    await dialog().getByRole('button', { name: 'Reject' }).click()
    await page.getByText('1 decided request').waitFor()
    await colleague.promoteVersion({ version: 'v5', environment: 'production', reason: 'again' })
    await cards.first().getByRole('button', { name: 'Approve v5' }).click()
    await shoot('approve')
    await dialog().getByLabel('Your name').fill('Grace')
    await dialog().getByLabel('Note').fill('read it all')
    await dialog().getByRole('button', { name: 'Approve' }).click()
    await page.getByText('All calls are decided by v5').waitFor()
    await page.getByText('2 decided requests').click()
    await page.getByText('“read it all”').waitFor()
    await shoot('approved')
  })

  it('sets a param at once, keeps its history, and takes it back', async () => {
    await visit(page, '/deployments/development/params')
    await page.getByRole('button', { name: 'Set canary_ppm' }).click()
    await dialog()
      .getByLabel(/^Value/)
      .fill('70000')
    await dialog().getByRole('button', { name: 'Set' }).click()
    const row = page.getByLabel('Params', { exact: true }).locator('tr', { hasText: 'canary_ppm' })
    await row.getByText('70000').waitFor()
    await row.getByText('set here').waitFor()
    await page.getByLabel('Changes of params').locator('tr', { hasText: '70000' }).waitFor()
    await shoot('params')
    await page.getByRole('button', { name: 'Take back canary_ppm' }).click()
    await dialog().getByRole('button', { name: 'Take back' }).click()
    await row.getByText('default').waitFor()
    await page.getByLabel('Changes of params').getByText('taken back').waitFor()
  })

  it('shows the report of a backtest that the CLI wrote, and refuses what is none', async () => {
    await visit(page, '/policies')
    await page.getByRole('link', { name: 'Backtest report' }).click()
    await page.getByRole('heading', { name: 'No report is open' }).waitFor()
    await shoot('backtest-empty')
    const open = (name: string, text: string) =>
      page.getByLabel('Open a report').setInputFiles({
        ...{ name, mimeType: 'application/json', buffer: Buffer.from(text) },
      })
    await open('other.json', '{ "ok": true }')
    await page.getByRole('alert').getByText('"candidate" is not as expected').waitFor()
    await open('report.json', await backtestReport())
    await page.getByText('report.json: starter').waitFor()
    await page.getByRole('heading', { name: 'Outcome' }).waitFor()
    const row = page.getByLabel('Outcome').locator('tbody tr').first()
    expect(await row.getByRole('link').getAttribute('href')).toMatch(/^\/decisions\//)
    expect(await accessFaults(page)).toEqual([])
    await shoot('backtest')
    await page.reload()
    await page.getByText('opened before: starter').waitFor()
  })

  for (const look of ['light', 'dark'] as const) {
    it(`has no accessibility fault in ${look} colours, wide and narrow`, async () => {
      const context = await newContext(browser, { dark: look === 'dark' })
      const other = await context.newPage()
      await signIn(other)
      if (look === 'light') {
        await colleague.promoteVersion({ version: 'v2', environment: 'development', canaryPpm: 300_000 })
        await colleague.promoteVersion({ version: 'v3', environment: 'development', shadow: true })
        await Promise.all(users.map((user, index) => call(user, index % 5 === 0 ? 'labs' : 'none')))
      }
      const { items } = await signalbox.client.listDeployments({ environment: 'development' })
      const evidence = items.find(({ cause }) => cause === 'guard')?.id ?? ''
      const own = '/deployments/development'
      const paths = ['/deployments', own, `${own}/history`, `${own}/history/${evidence}`, `${own}/params`]
      for (const path of [
        ...paths,
        '/deployments/staging',
        '/deployments/production',
        '/policies/v2/changes?from=v1',
        '/policies/backtest/report',
      ]) {
        await other.setViewportSize({ width: 1280, height: 800 })
        await visit(other, path)
        await other.locator('main h1').first().waitFor()
        await other.waitForTimeout(400)
        expect(await accessFaults(other, look === 'dark' ? 'colours' : 'all'), path).toEqual([])
        const name = path.replace(evidence, 'evidence').replaceAll(/[/?=]/g, '-')
        await takePicture(other, `${look}${name}`)
        await other.setViewportSize({ width: 390, height: 844 })
        const overflow = Number(await other.evaluate('document.documentElement.scrollWidth - innerWidth'))
        expect(overflow, `${path} is wider than a narrow screen`).toBeLessThanOrEqual(0)
        await takePicture(other, `${look}-narrow${name}`)
      }
      await context.close()
    }, 120_000)
  }

  it('logged no error in the browser', () => {
    expect(faults.filter((fault) => !/status of 40[0349]/.test(fault))).toEqual([])
  })
})
