import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freePass, type Permit } from '../../../gateway/money/attempt-hold.ts'
import type {
  Exchange,
  ExchangeFailure,
  ExchangeLimits,
  ExchangeSink,
} from '../../../gateway/upstream/exchange.ts'
import { readWhole } from '../../../gateway/upstream/read-whole.ts'
import { createUpstream, type Dispatch, type Upstream } from '../../../gateway/upstream/upstream.ts'
import { freePort } from '../../support/free-port.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../support/scripted-upstream.ts'

const clock = (): number => performance.now()
let server: ScriptedUpstream
let upstream: Upstream
const exchanges: Exchange[] = []

beforeAll(async () => {
  server = await startScriptedUpstream()
  upstream = createUpstream(clock)
})
afterEach(() => {
  for (const exchange of exchanges.splice(0)) exchange.abort('the test is over')
})
afterAll(async () => {
  await upstream.close()
  await server.close()
})

function open(
  limits: Partial<ExchangeLimits> = {},
  baseUrl = `${server.url}/v1/`,
  permit: Permit = freePass,
  dispatch?: Dispatch,
): Exchange {
  const exchange = upstream.open({
    baseUrl,
    request: {
      method: 'POST',
      path: '/chat/completions',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from('{"a":1}'),
      dropped: [],
      responseDropped: [],
      addedUsage: false,
      identity: true,
    },
    credentials: { authorization: 'Bearer upstream-secret' },
    permit,
    limits: {
      connectMs: 1000,
      firstTokenMs: 1000,
      idleMs: 1000,
      deadlineMs: clock() + 5000,
      clientIdleMs: 1000,
      bytesMax: 1_000_000,
      waitingBytesMax: 65_536,
      ...limits,
    },
    dispatch,
  })
  exchanges.push(exchange)
  return exchange
}

/** Collects what a sink hears. */
function listener(): ExchangeSink & { text: string; end: Promise<ExchangeFailure | undefined> } {
  let resolve: (failure: ExchangeFailure | undefined) => void = () => {}
  return {
    text: '',
    end: new Promise((done) => {
      resolve = done
    }),
    onData(chunk) {
      this.text += chunk.toString()
    },
    onEnd: () => resolve(undefined),
    onFailure: (failure) => resolve(failure),
  }
}

describe('an exchange', () => {
  it('never leaves, and uses no permit, where it is given up before the turn is over', async () => {
    const before = server.requests.length
    let permits = 0
    const exchange = open({}, undefined, { dispatch: () => permits++ })
    exchange.abort('nobody wants it')
    expect(await exchange.head).toEqual({ kind: 'aborted', detail: 'nobody wants it' })
    await wait(20)
    expect([permits, server.requests.length - before, exchange.sent]).toEqual([0, 0, false])
  })

  it('never leaves where nothing is held for it any more', async () => {
    const before = server.requests.length
    const spent = (): never => {
      throw new Error('an attempt without a hold of its own')
    }
    const exchange = open({}, undefined, { dispatch: spent })
    expect(await exchange.head).toMatchObject({ kind: 'internal' })
    await wait(20)
    expect([server.requests.length - before, exchange.sent]).toEqual([0, false])
  })

  it('goes out where its pool made room for those of other upstreams within the same turn', async () => {
    server.play((turn) => turn.json(200, { ok: true }))
    const own = await startScriptedUpstream()
    own.play((turn) => turn.json(200, { ok: true }))
    const exchange = open({}, own.url)
    for (let each = 0; each < 256; each++) open({}, `http://127.0.0.1:${each + 1}`).abort('')
    expect(await exchange.head).toBeUndefined()
    await own.close()
  })

  it('fails at once where what answers in place of the network cannot', async () => {
    const exchange = open({ connectMs: 60_000 }, undefined, freePass, () => {
      throw new TypeError('no such shape')
    })
    expect(await exchange.head).toEqual({ kind: 'internal', detail: 'TypeError: no such shape' })
  })

  it('goes to the path below the base URL, with the credential, and asks for no encoding', async () => {
    server.play((turn) => turn.json(200, { ok: true }, { 'x-request-id': 'up-1' }))
    const exchange = open()
    expect(await exchange.head).toBeUndefined()
    expect(exchange.status).toBe(200)
    expect(exchange.headers['x-request-id']).toBe('up-1')
    expect((await readWhole(exchange)).toString()).toBe('{"ok":true}')
    const seen = server.requests.at(-1)
    expect(seen?.path).toBe('/v1/chat/completions')
    expect(seen?.text).toBe('{"a":1}')
    expect(seen?.headers).toMatchObject({
      authorization: 'Bearer upstream-secret',
      'accept-encoding': 'identity',
    })
  })

  it('reuses connections', async () => {
    const ports = new Set<number | undefined>()
    server.play((turn) => {
      ports.add(turn.socket.remotePort)
      turn.json(200, {})
    })
    for (let count = 0; count < 10; count++) {
      const exchange = open()
      await exchange.head
      await readWhole(exchange)
    }
    expect(ports.size).toBeLessThanOrEqual(2)
  })

  it('keeps what comes before anybody listens, and its end', async () => {
    server.play((turn) => {
      turn.events('one ')
      turn.response.end('two')
    })
    const exchange = open()
    await exchange.head
    await wait(30)
    const sink = listener()
    exchange.attach(sink)
    expect(await sink.end).toBeUndefined()
    expect(sink.text).toBe('one two')
  })

  it('fails as unavailable where nobody listens, with nothing sent', async () => {
    const exchange = open({}, `http://127.0.0.1:${await freePort()}`)
    expect(await exchange.head).toEqual({ kind: 'unavailable', detail: 'ECONNREFUSED' })
    expect(exchange.sent).toBe(false)
  })

  it('fails as reset where the connection breaks, before or after the head', async () => {
    server.play((turn) => turn.reset())
    const before = open()
    expect(await before.head).toMatchObject({ kind: 'reset' })
    expect(before.sent).toBe(true)
    server.play(async (turn) => {
      turn.events('part')
      await wait(20)
      turn.reset()
    })
    const after = open()
    expect(await after.head).toBeUndefined()
    expect(await readWhole(after)).toMatchObject({ kind: 'reset' })
  })

  it('fails as reset where a body is shorter than it said', async () => {
    server.play((turn) => {
      turn.response.writeHead(200, { 'content-length': 100 })
      turn.response.write('short')
      setTimeout(() => turn.socket.end(), 20)
    })
    const exchange = open()
    await exchange.head
    expect(await readWhole(exchange)).toMatchObject({ kind: 'reset' })
  })

  it('fails as invalid where the answer is no HTTP', async () => {
    server.play((turn) => void turn.socket.end('HELLO THERE\r\n\r\n'))
    expect(await open().head).toMatchObject({ kind: 'invalid' })
  })

  it.each<[string, Partial<ExchangeLimits>, string]>([
    ['the first token', { firstTokenMs: 40 }, 'no first token in time'],
    ['the whole', { deadlineMs: 0 }, 'the answer took longer than it may in all'],
  ])('waits no longer than it may for %s', async (_name, limits, detail) => {
    server.play(() => {})
    const started = clock()
    expect(await open(limits).head).toEqual({ kind: 'timeout', detail })
    expect(clock() - started).toBeLessThan(500)
  })

  it('does not wait longer than it may for a connection', async () => {
    // An address that drops what is sent to it: reserved for documentation (RFC 5737).
    const exchange = open({ connectMs: 40 }, 'http://192.0.2.1:9')
    expect(['timeout', 'unavailable']).toContain((await exchange.head)?.kind)
  })

  it('fails when an answer that has begun stands still, and not while it trickles', async () => {
    server.play(async (turn) => {
      turn.events('a')
      for (let count = 0; count < 8; count++) {
        await wait(20)
        turn.response.write('.')
      }
    })
    const exchange = open({ idleMs: 80 })
    await exchange.head
    exchange.flow()
    const sink = listener()
    exchange.attach(sink)
    expect(await sink.end).toEqual({ kind: 'timeout', detail: 'the answer stood still for too long' })
    expect(sink.text).toBe('a........')
  })

  it('takes no more bytes than it may', async () => {
    server.play((turn) => turn.events('x'.repeat(3000)))
    const exchange = open({ bytesMax: 2000 })
    await exchange.head
    expect(await readWhole(exchange)).toMatchObject({ kind: 'invalid' })
  })

  it('closes the connection within 100 ms when it is given up', async () => {
    let closed: Promise<void> | undefined
    server.play((turn) => {
      closed = turn.closed()
      turn.events('a')
    })
    const exchange = open()
    await exchange.head
    const sink = listener()
    exchange.attach(sink)
    const started = clock()
    exchange.abort('enough')
    expect(await sink.end).toEqual({ kind: 'aborted', detail: 'enough' })
    await closed
    expect(clock() - started).toBeLessThan(100)
  })

  it('can be given up before it is connected', async () => {
    const exchange = open()
    exchange.abort('never mind')
    expect(await exchange.head).toEqual({ kind: 'aborted', detail: 'never mind' })
  })

  it('stops reading while it is paused, so that the upstream has to wait', async () => {
    let written = 0
    server.play((turn) => {
      turn.events('')
      const piece = Buffer.alloc(65_536, 120)
      const more = (): void => {
        while (written < 40_000_000 && turn.response.write(piece)) written += piece.length
        if (written < 40_000_000) turn.response.once('drain', more)
        else turn.response.end()
      }
      more()
    })
    const exchange = open({ bytesMax: 100_000_000, clientIdleMs: 10_000 })
    await exchange.head
    let received = 0
    let end: () => void = () => {}
    const done = new Promise<void>((resolve) => {
      end = resolve
    })
    exchange.attach({
      onData(chunk) {
        if (received === 0) exchange.pause()
        received += chunk.length
      },
      onEnd: () => end(),
      onFailure: () => end(),
    })
    await wait(150)
    expect(received).toBeLessThan(1_000_000)
    expect(written).toBeLessThan(20_000_000)
    exchange.resume()
    await done
    expect(received).toBeGreaterThan(39_000_000)
  })

  it('is over when its reader stalls for too long', async () => {
    server.play((turn) => turn.events('a'))
    const exchange = open({ clientIdleMs: 50 })
    await exchange.head
    const sink = listener()
    exchange.attach(sink)
    await wait(10)
    exchange.pause()
    expect(await sink.end).toMatchObject({ kind: 'stalled' })
  })

  it('keeps no more than it may for a sink that is late', async () => {
    server.play((turn) => {
      turn.events('')
      turn.response.end('y'.repeat(5_000_000))
    })
    const exchange = open({ bytesMax: 10_000_000 })
    await exchange.head
    await wait(50)
    expect(exchange.bytesIn).toBeLessThan(1_000_000)
    const body = await readWhole(exchange)
    expect(Buffer.isBuffer(body) && body.length).toBe(5_000_000)
  })

  it('passes over informational answers', async () => {
    server.play((turn) => {
      turn.response.writeEarlyHints({ link: '</x>; rel=preload' })
      turn.json(200, {})
    })
    const exchange = open()
    await exchange.head
    expect(exchange.status).toBe(200)
  })
})
