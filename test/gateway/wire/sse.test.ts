import { Refusal } from '@signalbox/sdk/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeSseEvent, type SseFrame, SseSplitter } from '../../../gateway/wire/sse.ts'

function split(pieces: readonly Buffer[]): SseFrame[] {
  const splitter = new SseSplitter()
  const frames = pieces.flatMap((piece) => splitter.push(piece))
  const rest = splitter.end()
  return rest === undefined ? frames : [...frames, rest]
}
function said(frames: readonly SseFrame[]): unknown[] {
  return frames.map(({ event, data, partial }) => ({ event, data, partial }))
}
function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const sorted = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  )
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end))
}

const stream = Buffer.from(
  'data: {"a":1}\n\n: ping\n\nevent: message_start\ndata: {"t":"größe 漢字 🚂"}\n\n' +
    'event: x\r\ndata: one\r\ndata: two\r\n\r\ndata:no space\r\r\n\ndata: [DONE]\n\n',
)

describe('SseSplitter', () => {
  it('gives each event with its name and data, and comments as frames without data', () => {
    expect(said(split([stream]))).toEqual([
      { event: '', data: '{"a":1}', partial: false },
      { event: '', data: '', partial: false },
      { event: 'message_start', data: '{"t":"größe 漢字 🚂"}', partial: false },
      { event: 'x', data: 'one\ntwo', partial: false },
      { event: '', data: 'no space', partial: false },
      { event: '', data: '', partial: false },
      { event: '', data: '[DONE]', partial: false },
    ])
  })

  it('gives the same frames wherever the bytes are cut once', () => {
    const whole = split([stream])
    for (let cut = 0; cut <= stream.length; cut++) {
      const frames = split([stream.subarray(0, cut), stream.subarray(cut)])
      expect(said(frames)).toEqual(said(whole))
      expect(frames.map(({ bytes }) => bytes.toString('hex'))).toEqual(
        whole.map(({ bytes }) => bytes.toString('hex')),
      )
    }
  })

  it('loses and changes no byte, whatever the bytes are', () => {
    const lines = fc.constantFrom(
      'data: x',
      'event: e',
      ':',
      '',
      '\r',
      '\n',
      '\r\n',
      '\n\n',
      '\r\n\r\n',
      'é🚂',
      '\uFEFF',
    )
    fc.assert(
      fc.property(fc.array(lines), fc.array(fc.nat(500)), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''))
        const frames = split(cutAt(bytes, cuts))
        expect(Buffer.concat(frames.map((frame) => frame.bytes)).equals(bytes)).toBe(true)
        expect(said(frames)).toEqual(said(split([bytes])))
      }),
    )
  })

  it('gives byte by byte what it gives at once', () => {
    const pieces = [...stream].map((byte) => Buffer.from([byte]))
    expect(said(split(pieces))).toEqual(said(split([stream])))
  })

  it('marks what the end of the bytes left unfinished', () => {
    const frames = split([Buffer.from('data: 1\n\ndata: {"cut":')])
    expect(frames.map(({ partial }) => partial)).toEqual([false, true])
  })

  it('takes a carriage return at the very end for the end of the line', () => {
    expect(said(split([Buffer.from('data: 1\r\r')]))).toEqual([{ event: '', data: '1', partial: false }])
  })

  it('reads the first event behind a byte order mark', () => {
    expect(said(split([Buffer.from('\uFEFFdata: 1\n\n')]))).toEqual([
      { event: '', data: '1', partial: false },
    ])
  })

  it('refuses an event that is longer than its limit, in one piece or in many', () => {
    const long = Buffer.from(`data: ${'x'.repeat(100)}`)
    expect(() => new SseSplitter(64).push(long)).toThrow(Refusal)
    const splitter = new SseSplitter(64)
    expect(() => {
      for (const byte of long) splitter.push(Buffer.from([byte]))
    }).toThrow(Refusal)
  })

  it('lets many short events of one long piece through', () => {
    const piece = Buffer.from('data: 0123456789\n\n'.repeat(100))
    expect(new SseSplitter(64).push(piece)).toHaveLength(100)
  })

  it('takes time in proportion to an event that comes in many pieces', () => {
    const splitter = new SseSplitter()
    const piece = Buffer.alloc(1024, 'x')
    const start = performance.now()
    for (let i = 0; i < 8 * 1024; i++) splitter.push(piece)
    expect(performance.now() - start).toBeLessThan(2000)
    expect(splitter.end()?.bytes.length).toBe(8 * 1024 * 1024)
  })
})

describe('encodeSseEvent', () => {
  it('writes what the splitter reads', () => {
    const text = encodeSseEvent('error', { a: 'line\nbreak' }) + encodeSseEvent(undefined, '[DONE]')
    expect(said(split([Buffer.from(text)]))).toEqual([
      { event: 'error', data: '{"a":"line\\nbreak"}', partial: false },
      { event: '', data: '[DONE]', partial: false },
    ])
  })
})
