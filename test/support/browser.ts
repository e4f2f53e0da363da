import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import chromium, { inflate } from '@sparticuz/chromium'
import { type Browser, type BrowserContext, type Page, chromium as playwright } from 'playwright-core'

/** Our own switches: the package's defaults turn off checks that would hide faults of ours. */
const switches = [
  '--no-sandbox',
  '--disable-setuid-sandbox',
  '--no-zygote',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--font-render-hinting=none',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

const cache = join(import.meta.dirname, '../../node_modules/.cache/signalbox-test-browser')

/**
 * Unpacks the browser that `npm ci` brought, once. The package unpacks into the system's temp folder and takes what
 * lies there for whole; so it gets a folder of its own, which appears under its name only when it is whole.
 */
async function unpackBrowser(): Promise<string> {
  const executable = join(cache, 'chromium')
  if (existsSync(executable)) return executable
  mkdirSync(join(cache, '..'), { recursive: true })
  const staging = mkdtempSync(`${cache}-`)
  const before = process.env.TMPDIR
  process.env.TMPDIR = staging
  try {
    await chromium.executablePath()
    renameSync(staging, cache)
  } catch (error) {
    rmSync(staging, { recursive: true, force: true })
    if (!existsSync(executable)) throw error
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
  return executable
}

/** Libraries that a bare system lacks come with the package; used only where the loader misses one. */
async function libraryPath(executable: string): Promise<string | undefined> {
  const missing = execFileSync('ldd', [executable], { encoding: 'utf8' }).includes('not found')
  if (!missing) return undefined
  const folder = await inflate(
    join(import.meta.dirname, '../../node_modules/@sparticuz/chromium/bin/al2023.tar.br'),
  )
  return join(folder, 'lib')
}

/** Headless Chromium: `SIGNALBOX_TEST_BROWSER` if set, else the one that `npm ci` brought. */
export async function launchBrowser(): Promise<Browser> {
  const own = process.env.SIGNALBOX_TEST_BROWSER
  const executablePath = own ?? (await unpackBrowser())
  const libraries = own === undefined ? await libraryPath(executablePath) : undefined
  const env = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  return playwright.launch({
    executablePath,
    headless: true,
    args: switches,
    env: libraries === undefined ? env : { ...env, LD_LIBRARY_PATH: libraries },
  })
}

/** A fresh profile; the locale is set because a bare one makes `Intl` throw. */
export function newContext(
  browser: Browser,
  options: { width?: number; height?: number; dark?: boolean } = {},
): Promise<BrowserContext> {
  return browser.newContext({
    locale: 'en-US',
    timezoneId: 'UTC',
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.dark === true ? 'dark' : 'light',
    permissions: ['clipboard-read', 'clipboard-write'],
  })
}

/** Rules that another colour scheme can break; all else is the same page in both. */
const colourRules = ['color-contrast', 'link-in-text-block']

/**
 * What axe finds wrong with a page, one line a rule: by all rules, or by those of colours alone. No page of ours has
 * frames, so it runs in the page itself; for frames it would open a further page each time.
 */
export async function accessFaults(page: Page, rules: 'all' | 'colours' = 'all'): Promise<string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode(true)
  const { violations } = await (rules === 'all' ? axe : axe.withRules(colourRules)).analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)
}

/** Keeps a picture of a whole page to be looked at, where `SIGNALBOX_SCREENSHOTS` names a folder for them. */
export async function takePicture(page: Page, name: string): Promise<void> {
  const folder = process.env.SIGNALBOX_SCREENSHOTS
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true, caret: 'initial' })
}
