import type { BudgetWindow } from '@signalbox/sdk/contract'
import { expect, test } from 'vitest'
import { isTimeZone, windowAt } from '../../../control-plane/ledger/window-bounds.ts'

/** Start and end of the window at a time, as ISO texts. */
function boundsAt(
  time: string,
  window: BudgetWindow,
  timeZone = 'UTC',
  fiscalStart = '01-01',
): (string | null)[] {
  const { startMs, endMs } = windowAt({ window, timeZone, fiscalStart }, Date.parse(time))
  return [startMs, endMs].map((ms) =>
    ms === null ? null : new Date(ms).toISOString().replace(':00.000Z', 'Z'),
  )
}

test('windows in UTC', () => {
  const at = '2026-11-22T07:30:00Z'
  expect(boundsAt(at, 'day')).toEqual(['2026-11-22T00:00Z', '2026-11-23T00:00Z'])
  expect(boundsAt(at, 'week')).toEqual(['2026-11-16T00:00Z', '2026-11-23T00:00Z'])
  expect(boundsAt(at, 'month')).toEqual(['2026-11-01T00:00Z', '2026-12-01T00:00Z'])
  expect(boundsAt(at, 'quarter')).toEqual(['2026-10-01T00:00Z', '2027-01-01T00:00Z'])
  expect(boundsAt(at, 'year')).toEqual(['2026-01-01T00:00Z', '2027-01-01T00:00Z'])
  expect(boundsAt(at, 'total')).toEqual(['1970-01-01T00:00Z', null])
})

test('days are as long as the clocks make them', () => {
  const berlin = 'Europe/Berlin'
  expect(boundsAt('2026-03-29T12:00:00Z', 'day', berlin)).toEqual(['2026-03-28T23:00Z', '2026-03-29T22:00Z'])
  expect(boundsAt('2026-10-25T12:00:00Z', 'day', berlin)).toEqual(['2026-10-24T22:00Z', '2026-10-25T23:00Z'])
  expect(boundsAt('2026-03-31T22:30:00Z', 'month', berlin)[0]).toBe('2026-03-31T22:00Z')
  expect(boundsAt('2026-06-01T00:00:00Z', 'day', 'Asia/Kathmandu')[0]).toBe('2026-05-31T18:15Z')
})

test('a day whose midnight is skipped begins when the clocks change, and one with two at the first', () => {
  // Cairo goes from 00:00 to 01:00 on the last Friday of April, and back from 24:00 on the last Thursday of October.
  expect(boundsAt('2026-04-24T12:00:00Z', 'day', 'Africa/Cairo')).toEqual([
    '2026-04-23T22:00Z',
    '2026-04-24T21:00Z',
  ])
  // Havana goes back from 01:00 to 00:00 on the first Sunday of November: midnight comes twice.
  expect(boundsAt('2026-11-01T12:00:00Z', 'day', 'America/Havana')).toEqual([
    '2026-11-01T04:00Z',
    '2026-11-02T05:00Z',
  ])
})

test('quarters and years count from the fiscal start', () => {
  expect(boundsAt('2026-04-05T12:00:00Z', 'year', 'UTC', '04-06')).toEqual([
    '2025-04-06T00:00Z',
    '2026-04-06T00:00Z',
  ])
  expect(boundsAt('2026-04-06T00:00:00Z', 'year', 'UTC', '04-06')[0]).toBe('2026-04-06T00:00Z')
  expect(boundsAt('2026-11-22T00:00:00Z', 'quarter', 'UTC', '02-01')).toEqual([
    '2026-11-01T00:00Z',
    '2027-02-01T00:00Z',
  ])
  expect(boundsAt('2026-01-10T00:00:00Z', 'quarter', 'UTC', '04-06')).toEqual([
    '2026-01-06T00:00Z',
    '2026-04-06T00:00Z',
  ])
})

test('windows follow each other without gap or overlap', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/Havana',
    'Africa/Cairo',
    'Australia/Lord_Howe',
    'Pacific/Apia',
  ]
  for (const timeZone of zones) {
    for (const window of ['day', 'week', 'month', 'quarter', 'year'] as const) {
      const rule = { window, timeZone, fiscalStart: '04-06' }
      let { startMs, endMs } = windowAt(rule, Date.UTC(2025, 0, 1))
      for (let each = 0; each < (window === 'day' ? 400 : 30); each++) {
        expect(windowAt(rule, (endMs ?? 0) - 1)).toEqual({ startMs, endMs })
        const next = windowAt(rule, endMs ?? 0)
        expect(next.startMs).toBe(endMs)
        ;({ startMs, endMs } = next)
      }
    }
  }
})

test('only names of zones are zones', () => {
  expect(['UTC', 'Europe/Berlin', 'America/Argentina/Ushuaia'].map(isTimeZone)).toEqual([true, true, true])
  expect(['', '+02:00', 'Mars/Olympus', 'Europe/Berlin; drop'].map(isTimeZone)).toEqual([
    false,
    false,
    false,
    false,
  ])
})
