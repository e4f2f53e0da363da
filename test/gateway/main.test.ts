import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { GatewayBench } from './gateway-bench.ts'

const bench = new GatewayBench()
beforeAll(() => bench.open())
afterEach(() => bench.endPrograms())
afterAll(() => bench.close())

describe('the gateway program', () => {
  it('starts within moments, decides, answers, and sends the record of the call', async () => {
    const program = await bench.startReady()
    const startMs = performance.now()
    const response = await bench.call(program)
    expect(response.status).toBe(200)
    const id = response.headers.get('x-signalbox-decision')
    const segments = await eventually(() => {
      const found = bench.controlPlane.segments.flatMap(({ lines }) => lines)
      expect(found.some((line) => 'row' in line && line.row.id === id)).toBe(true)
      return found
    })
    expect(performance.now() - startMs).toBeLessThan(2000)
    expect(segments.at(-1)).toMatchObject({ row: { version: 12, effect: 'allow', status: 200 } })
    const [, startedMs = ''] = /"startedMs":(\d+)/.exec(program.output()) ?? []
    expect(Number(startedMs)).toBeLessThan(5000)
    expect(await program.stop()).toBe(0)
    expect(program.output()).toContain('"cutCalls":0')
  })

  it('serves from its disk while the control plane is away, and keeps the records for it', async () => {
    await bench.controlPlane.stop()
    const program = await bench.startReady()
    const response = await bench.call(program)
    expect(response.status).toBe(200)
    const id = response.headers.get('x-signalbox-decision')
    await bench.controlPlane.start()
    await eventually(() => {
      const found = bench.controlPlane.segments.flatMap(({ lines }) => lines)
      expect(found.some((line) => 'row' in line && line.row.id === id)).toBe(true)
    })
    expect(await program.stop('SIGINT')).toBe(0)
  })

  it('refuses to share its folder', async () => {
    await bench.startReady()
    const second = await bench.start()
    const code = await new Promise<number | null>((resolve) => second.process.once('exit', resolve))
    expect(code).toBe(1)
    expect(second.output()).toContain('is in use by another gateway')
  })

  it('says which setting names another port where its own is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const program = await bench.start({ SIGNALBOX_GATEWAY_PORT: String(port) })
    const [code] = await once(program.process, 'exit')
    taken.close()
    expect(code).toBe(1)
    expect(program.output()).toContain(
      `port ${port} on 127.0.0.1 is in use: set SIGNALBOX_GATEWAY_PORT to another`,
    )
  })

  it('says what is wrong with its settings, all at once and without their values', async () => {
    const program = await bench.start({
      SIGNALBOX_GATEWAY_TOKEN: 'secret-nonsense',
      SIGNALBOX_LOG_LEVEL: 'loud',
    })
    const code = await new Promise<number | null>((resolve) => program.process.once('exit', resolve))
    expect(code).toBe(1)
    expect(program.output()).toContain('SIGNALBOX_GATEWAY_TOKEN')
    expect(program.output()).toContain('SIGNALBOX_LOG_LEVEL must be one of trace')
    expect(program.output()).not.toContain('secret-nonsense')
  })

  it('drains when the program that started it is gone', async () => {
    const main = fileURLToPath(new URL('../../gateway/main.ts', import.meta.url))
    const child = spawn(process.execPath, [main], {
      env: {
        ...bench.environment(),
        SIGNALBOX_GATEWAY_PORT: '0',
        SIGNALBOX_HOST: '127.0.0.1',
        PATH: process.env.PATH,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let output = ''
    child.stderr?.on('data', (data: Buffer) => {
      output += data.toString('utf8')
    })
    await eventually(() => expect(output).toMatch(/"port":[1-9]\d*,.*"listening"/), 15_000)
    child.disconnect()
    const [code] = (await once(child, 'exit')) as [number | null]
    expect(code).toBe(0)
    expect(output).toContain('the program that started this one is gone')
  })
})
