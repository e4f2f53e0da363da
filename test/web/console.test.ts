import { randomUUID } from 'node:crypto'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessFaults, launchBrowser, newContext, takePicture } from '../support/browser.ts'
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
  // Once there are accounts the token stands behind them.
  const token = each.getByLabel('Token')
  const others = each.getByText('Use a token')
  await token.or(others).first().waitFor()
  if (await others.isVisible()) await others.click()
  await token.fill(signalbox.rootKey)
  await each
    .getByRole('button', { name: /^Sign in( with the token)?$/ })
    .last()
    .click()
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
    await takePicture(page, 'overview-empty')
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
    await takePicture(page, 'decision')
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
    await takePicture(page, 'decisions')
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
    await takePicture(page, 'version')
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
    await takePicture(page, 'access')
    await page.getByRole('button', { name: 'Revoke from-console' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await page.locator('tr', { hasText: 'from-console' }).getByText('revoked').waitFor()
    expect((await ask('openai/gpt-5.2', {}, key)).status).toBe(401)
  })

  it('rotates a key and finds it by how it begins', async () => {
    await page.getByLabel('Label of the new key').fill('turning')
    await page.getByText('What it may be used for').click()
    await page.getByLabel('Models').fill('openai/*')
    await page.getByRole('button', { name: 'Make key' }).click()
    await page.getByRole('heading', { name: 'Key turning' }).waitFor()
    const first = ((await page.locator('.created pre').textContent()) ?? '').trim()
    await page.getByRole('button', { name: 'Rotate turning' }).click()
    await page.getByLabel('Grace').selectOption('0')
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click()
    await page.locator('.created pre').filter({ hasNotText: first }).waitFor()
    const second = ((await page.locator('.created pre').textContent()) ?? '').trim()
    expect((await ask('openai/gpt-5.2', {}, first)).status).toBe(401)
    expect((await ask('openai/gpt-5.2', {}, second)).status).toBe(200)
    await page.getByLabel('How the key begins').fill(second.slice(0, 12))
    await page.getByRole('button', { name: 'Find' }).click()
    await page.locator('tr', { hasText: 'from-console' }).waitFor({ state: 'detached' })
    expect(await page.locator('tr', { hasText: 'turning' }).count()).toBe(1)
  })

  it('signs a person in by name and password, shows their session and ends it', async () => {
    const password = 'correct horse battery staple'
    await signalbox.client.createUser({ name: 'ada', password, grants: [{ role: 'admin' }] })
    const own = await newContext(browser)
    const other = await own.newPage()
    watch(other)
    await other.goto(signalbox.controlPlaneUrl)
    await other.getByLabel('Name').fill('ada')
    await other.getByLabel('Password').fill(password)
    await takePicture(other, 'sign-in')
    await other.getByRole('button', { name: 'Sign in', exact: true }).click()
    await other.getByRole('heading', { name: 'Overview' }).waitFor()
    await other.getByRole('link', { name: 'Account' }).click()
    await other.getByText('this one').waitFor()
    await takePicture(other, 'account')
    await other.reload()
    await other.getByText('this one').waitFor()
    await other.getByRole('button', { name: 'Sign out' }).click()
    await other.getByLabel('Password', { exact: true }).waitFor()
    await own.close()
  })

  it('makes a budget after saying what it would do, and shows where its money goes', async () => {
    await page.getByRole('link', { name: 'Budgets' }).click()
    await page.getByRole('button', { name: 'Make the first one' }).click()
    const search = await page.locator('option', { hasText: /^search$/ }).getAttribute('value')
    await page.getByLabel('Whose').selectOption(search)
    await page.getByLabel('Limit').fill('2.50')
    await page.getByText('$2.50 available').waitFor()
    await page.getByRole('button', { name: 'Make budget' }).click()
    const key = await signalbox.createKey('search')
    await expect.poll(async () => (await ask('openai/gpt-5.2', {}, key)).status).toBe(200)
    await page.getByRole('img', { name: /^settled \$0\.\d+, .*of \$2\.50$/ }).waitFor()
    await page.getByRole('link', { name: 'search', exact: true }).click()
    await page.locator('td', { hasText: 'simulated/gpt-5.2' }).first().waitFor()
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Limit', { exact: true }).fill('0.000001')
    await page.getByText('closes at once').waitFor()
    await page.getByText(/Refused from now on: key-/).waitFor()
    await takePicture(page, 'budget-editing')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('img', { name: /of \$0\.0000010$/ }).waitFor()
    // What the gateway has in hand is called back with its next reports.
    await expect
      .poll(async () => (await ask('openai/gpt-5.2', {}, key)).status, { timeout: 10_000, interval: 200 })
      .toBe(402)
    await page.getByLabel('Limit while the override holds').fill('3')
    await page.getByLabel('Why the limit is overridden').fill('launch day')
    await page.getByRole('button', { name: 'Override' }).click()
    await page.getByText('“launch day”').waitFor()
  })

  it('renames and moves a node of the tree, with all below it', async () => {
    await signalbox.client.createTeam({ name: 'wing' })
    await signalbox.client.createTeam({ name: 'guild' })
    await signalbox.client.createTeam({ name: 'crew', parent: 'guild' })
    await page.goto(`${signalbox.controlPlaneUrl}/access`)
    await page.getByRole('button', { name: 'Change guild', exact: true }).click()
    const dialog = page.getByRole('dialog')
    expect(await dialog.getByLabel('Below').locator('option').allTextContents()).not.toContain('guild/crew')
    await dialog.getByLabel('Name').fill('union')
    await dialog.getByLabel('Below').selectOption({ label: 'wing' })
    await dialog.getByRole('button', { name: 'Change' }).click()
    await page.locator('sb-team-tree td', { hasText: 'wing/union/crew' }).waitFor()
    await page.getByRole('button', { name: 'Delete wing/union', exact: true }).click()
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.locator('sb-team-tree [role=alert]').waitFor()
    faults.length = 0
  })

  it('sets a limit, lets it only count, and takes it away', async () => {
    await page.goto(`${signalbox.controlPlaneUrl}/limits`)
    await page.getByText('No limits yet').waitFor()
    await page.locator('select[name=owner]').selectOption({ label: 'wing' })
    await page.getByLabel('At most').fill('600')
    await page.getByLabel('Only this metadata').fill('feature=chat')
    await page.getByLabel('Each by itself').fill('user')
    await page.getByRole('button', { name: 'Set limit' }).click()
    await page.getByText('feature = chat · each user by itself').waitFor()
    await page.getByRole('button', { name: /^Make the limit .* shadow$/ }).click()
    await page.getByRole('button', { name: /^Make the limit .* hard$/ }).waitFor()
    expect((await signalbox.client.listLimits()).items).toMatchObject([
      { path: 'wing', limit: 600, mode: 'shadow', metadata: { name: 'feature', value: 'chat' }, per: 'user' },
    ])
    await takePicture(page, 'limits')
    await page.getByRole('button', { name: /^Delete the limit/ }).click()
    await page.getByText('No limits yet').waitFor()
  })

  it('makes accounts and gives roles, and shows who has a role on a team what lies there', async () => {
    await page.goto(`${signalbox.controlPlaneUrl}/users`)
    await page.locator('form.fields input[name=name]').fill('fin')
    await page.locator('form.fields input[name=password]').fill('correct horse battery')
    await page.getByLabel('On which node of the new account').selectOption({ label: 'wing/union' })
    await page.getByLabel('Role of the new account').selectOption('finance')
    await page.getByRole('button', { name: 'Make account' }).click()
    await page.getByRole('button', { name: 'Take finance on wing/union from fin' }).waitFor()
    await page.getByRole('row', { name: /^fin / }).getByText('Give a role').click()
    await page.getByLabel('On which node for fin').selectOption({ label: 'search' })
    await page.getByRole('button', { name: 'Give fin this role' }).click()
    await page.getByRole('button', { name: 'Take viewer on search from fin' }).click()
    await expect
      .poll(async () => (await signalbox.client.listUsers()).items.find(({ name }) => name === 'fin')?.grants)
      .toMatchObject([{ role: 'finance', node: { path: 'wing/union' } }])
    await takePicture(page, 'users')
    await signalbox.client.setBudget({ team: 'wing', window: 'day', limit: '7' })
    const own = await newContext(browser)
    const other = await own.newPage()
    await other.goto(signalbox.controlPlaneUrl)
    await other.getByLabel('Name', { exact: true }).fill('fin')
    await other.getByLabel('Password').fill('correct horse battery')
    await other.getByRole('button', { name: 'Sign in', exact: true }).click()
    await other.getByRole('heading', { name: 'Overview' }).waitFor()
    await other.getByRole('link', { name: 'Budgets' }).click()
    await other.getByRole('button', { name: 'Make the first one' }).click()
    const ofWhom = other.getByRole('combobox').first().locator('option')
    expect((await ofWhom.allTextContents()).join()).not.toContain('search')
    await other.getByRole('link', { name: 'Users' }).click()
    await other.getByText('Users are kept by the organisation').waitFor()
    await other.getByRole('link', { name: 'Budgets' }).click()
    await other.getByRole('link', { name: 'Refused reports' }).click()
    await other.getByText('Refused reports are kept by the organisation').waitFor()
    await other.getByRole('link', { name: 'Policies' }).click()
    await other.getByRole('heading', { name: 'Policies' }).waitFor()
    await takePicture(other, 'policies-of-a-team')
    await own.close()
    await page.getByRole('button', { name: 'Disable fin' }).click()
    await page.getByRole('button', { name: 'Enable fin' }).waitFor()
  })

  it('shows alerts, and proves the audit log', async () => {
    await page.getByRole('link', { name: 'Alerts' }).click()
    await page.locator('tr', { hasText: 'exhausted' }).getByRole('link', { name: 'search' }).waitFor()
    await page.getByLabel('URL of the new webhook').fill('https://169.254.169.254/latest')
    await page.getByRole('button', { name: 'Add webhook' }).click()
    await page.getByRole('alert').getByText('not of the open internet').waitFor()
    await page.getByLabel('URL of the new webhook').fill('https://hooks.example.com/signalbox')
    await page.getByRole('button', { name: 'Add webhook' }).click()
    await page.getByText(/^whsec_/).waitFor()
    await page.getByRole('link', { name: 'Audit' }).click()
    await page.locator('tr', { hasText: 'overrideBudget' }).waitFor()
    await page.getByRole('button', { name: 'Verify the chain' }).click()
    await page.getByText(/All \d+ rows .* are as they were written/).waitFor()
    await takePicture(page, 'audit')
  })

  it('shows gateways and connections', async () => {
    await page.getByRole('link', { name: 'Gateways' }).click()
    await page.getByText('converged').waitFor()
    await page.getByText('simulated').first().waitFor()
    await takePicture(page, 'gateways')
  })

  it('can be used with the keyboard alone', async () => {
    await page.goto(signalbox.controlPlaneUrl)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    const focused = page.locator(':focus').last()
    for (let step = 0; step < 10; step++) {
      await page.keyboard.press('Tab')
      if ((await focused.textContent())?.trim() === 'Decisions') break
    }
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/decisions$/)
  })

  it('tries a prompt out, and compares it with an earlier version', async () => {
    const prompt = (text: string) => `---\nname: greet\nvariables: { who: { type: string } }\n---\n${text}\n`
    const push = (text: string) =>
      signalbox.client.pushVersion({
        files: [
          { path: 'signalbox.yaml', text: 'name: letters\n' },
          { path: 'prompts/greet.prompt.md', text: prompt(text) },
        ],
      })
    const { version: before } = await push('Greet {{ who }}.')
    const { version } = await push('Greet {{ who }} warmly.')
    await page.goto(`${signalbox.controlPlaneUrl}/prompts?prompt=greet&version=v${version}&with=v${before}`)
    await page.getByText(`2 lines differ from v${before}`).waitFor()
    await page.getByLabel('who').fill('Ada')
    await page.getByRole('button', { name: 'Render' }).click()
    await page.getByText('Greet Ada warmly.').waitFor()
    await page.getByText('Greet Ada.').waitFor()
    await page.getByText(`greet@v${version}`).waitFor()
    await page.getByLabel('who').fill('')
    await page.getByRole('button', { name: 'Render' }).click()
    await page.getByText('variable "who" is missing').first().waitFor()
  })

  it('shows how routes stand that are drilled', async () => {
    const result = { fault: '529', stream: false, targets: 1, status: 200, ms: 12, decision: null } as const
    await signalbox.client.reportDrills({
      cards: [
        {
          ...{ model: 'cheap', held: 1, of: 2, costNanoUsd: '1000' },
          results: [
            { ...result, outcome: 'held', target: 'simulated/x' },
            {
              ...result,
              outcome: 'wrong',
              target: 'simulated/x',
              golden: 'greeting',
              unmet: ['is not JSON'],
            },
          ],
        },
      ],
    })
    await page.goto(`${signalbox.controlPlaneUrl}/drills`)
    await page.getByText('1 of 2 held').first().waitFor()
    await page.getByText('Score card').click()
    await page.getByText('greeting: is not JSON').waitFor()
  })

  it('shows reports that the ledger refused; a person has them taken, or puts them out of the way', async () => {
    await page.goto(`${signalbox.controlPlaneUrl}/budgets/reports/refused`)
    await page.getByText('Nothing waits for a decision').waitFor()
    const { token } = await signalbox.client.enrollGateway({ environment: 'staging' })
    const tell = (path: string, body: object) =>
      fetch(`${signalbox.controlPlaneUrl}/v1/gateway/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }).then((reply) => expect(reply.status).toBe(200))
    const { id: budget } = await signalbox.client.setBudget({
      team: 'wing',
      window: 'total',
      limit: '9000000000',
    })
    const [incarnation, leaseId] = [randomUUID(), randomUUID()]
    const wish = { leaseId, budgets: [budget], need: '5000000000', want: '5000000000' }
    await tell('hello', { incarnation, publicKey: 'B'.repeat(43), software: 'gateway/1' })
    await tell('leases', { incarnation, wishes: [wish] })
    const lease = { leaseId, amount: '1250000000', settled: '1250000000', final: true }
    const of = { incarnation, timeMs: Date.now(), error: 'answered with 409 (conflict)', tries: 5 }
    const good = { ...of, id: randomUUID(), report: JSON.stringify({ leases: [lease], settlements: [] }) }
    await tell('settlements/refused', { reports: [good, { ...of, id: randomUUID(), report: 'cut off {' }] })

    await page.getByRole('link', { name: 'Alerts' }).click()
    await page.locator('tr', { hasText: 'refused' }).getByRole('link', { name: 'Decide' }).click()
    const row = page.locator('tr', { hasText: 'lease that spent $1.25' })
    await row.getByRole('link', { name: 'wing' }).waitFor()
    await takePicture(page, 'refused-reports')
    const dialog = page.getByRole('dialog')
    const odd = page.locator('tr', { hasText: 'cut off' })
    await odd.getByRole('button', { name: /^Retry/ }).click()
    await dialog.getByLabel('Why').fill('perhaps')
    await page.keyboard.press('Enter')
    await dialog.getByRole('alert').getByText('The report is no JSON').waitFor()
    await takePicture(page, 'refused-reports-dialog')
    await page.keyboard.press('Escape')
    // With the keyboard alone: the next button, the note, and done.
    await row.getByRole('button', { name: /^Retry/ }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.type('same machine, enrolled anew')
    await page.keyboard.press('Enter')
    await page.getByText('The ledger has taken the report').waitFor()
    await row.getByText('same machine, enrolled anew').waitFor()
    const { current } = (await signalbox.client.listBudgets()).items.find(({ id }) => id === budget) ?? {}
    expect(current).toMatchObject({ settled: '1250000000', leased: '0', stranded: '0' })
    await page.goto(`${signalbox.controlPlaneUrl}/budgets`)
    await page.getByText('A report of a gateway').waitFor()
    faults.length = 0
  })

  for (const look of ['light', 'dark'] as const) {
    it(`has no accessibility fault in ${look} colours, wide and narrow`, async () => {
      const own = await newContext(browser, { dark: look === 'dark' })
      const other = await own.newPage()
      watch(other)
      await signIn(other)
      const { items } = await signalbox.client.listRecords({ effect: 'deny', limit: 1 })
      const decision = `/decisions/${items[0]?.id}`
      const budget = `/budgets/${(await signalbox.client.listBudgets()).items[0]?.id}`
      const paths = [
        '/',
        '/policies',
        '/policies/v1',
        '/prompts',
        '/drills',
        '/decisions',
        decision,
        '/access',
        '/gateways',
      ]
      const refused = '/budgets/reports/refused'
      for (const path of [...paths, '/budgets', budget, refused, '/limits', '/users', '/alerts', '/audit']) {
        await other.setViewportSize({ width: 1280, height: 800 })
        await other.evaluate(
          `history.pushState(null, '', ${JSON.stringify(path)}); dispatchEvent(new PopStateEvent('popstate'))`,
        )
        await other.locator('main h1').first().waitFor()
        await other.waitForTimeout(300)
        expect(await accessFaults(other, look === 'dark' ? 'colours' : 'all'), path).toEqual([])
        await takePicture(other, `${look}${path.replaceAll('/', '-')}`)
        await other.setViewportSize({ width: 390, height: 844 })
        const overflow = Number(await other.evaluate('document.documentElement.scrollWidth - innerWidth'))
        expect(overflow, `${path} is wider than a narrow screen`).toBeLessThanOrEqual(0)
        await takePicture(other, `${look}-narrow${path.replaceAll('/', '-')}`)
      }
      await own.close()
    }, 120_000)
  }

  it('logged no error in the browser', () => {
    expect(faults.filter((fault) => !/status of 40[01]/.test(fault))).toEqual([])
  })
})
