import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { launchBrowser, newContext } from '../support/browser.ts'
import { startSignalbox } from '../support/running-signalbox.ts'

/**
 * Loaded into every Node process before anything else: a connection or look-up that leaves the machine throws, and is
 * written down, so that one that is swallowed fails the test as well.
 */
const guard = (log: string): string => `
const { appendFileSync } = require('node:fs')
const net = require('node:net')
const dns = require('node:dns')
const local = (host) => host === undefined || /^(localhost|127\\.|::1$|\\[::1\\]|::ffff:127\\.)/.test(String(host))
const refuse = (what) => { appendFileSync(${JSON.stringify(log)}, what + '\\n'); throw new Error('offline: ' + what) }
const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (...args) {
  const first = Array.isArray(args[0]) ? args[0][0] : args[0]
  const host = typeof first === 'object' && first !== null ? (first.path ? 'localhost' : first.host) : typeof args[1] === 'string' ? args[1] : undefined
  if (!local(host)) refuse('connect ' + host)
  return connect.apply(this, args)
}
for (const name of ['lookup', 'resolve', 'resolve4', 'resolve6']) {
  for (const api of [dns, dns.promises]) {
    const original = api[name]
    api[name] = function (host, ...rest) { return local(host) ? original.call(this, host, ...rest) : refuse(name + ' ' + host) }
  }
}
`

it('needs nothing from the internet: both programs and the browser, every non-loopback socket refused', {
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-offline-'))
  const log = join(folder, 'refused.log')
  writeFileSync(log, '')
  writeFileSync(join(folder, 'guard.cjs'), guard(log))
  const signalbox = await startSignalbox({ env: { NODE_OPTIONS: `--require=${join(folder, 'guard.cjs')}` } })
  const browser = await launchBrowser()
  try {
    const key = await signalbox.createKey()
    const answer = await fetch(`${signalbox.gatewayUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'openai/gpt-5.2', messages: [{ role: 'user', content: 'Hello' }] }),
    })
    expect(answer.status).toBe(200)
    const page = await (await newContext(browser)).newPage()
    const outside: string[] = []
    await page.route(
      (url) => url.hostname !== '127.0.0.1',
      (route) => {
        outside.push(route.request().url())
        return route.abort()
      },
    )
    await page.goto(signalbox.controlPlaneUrl)
    await page.getByLabel('Token').fill(signalbox.rootKey)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    expect(outside).toEqual([])
  } finally {
    await browser.close()
    await signalbox.stop()
  }
  expect(readFileSync(log, 'utf8')).toBe('')
  rmSync(folder, { recursive: true, force: true })
})
