import fc from 'fast-check'
import { expect, test } from 'vitest'
import { forecastSpend } from '../../../control-plane/alerts/forecast-spend.ts'
import { SpendDays } from '../../../control-plane/alerts/watch-budgets.ts'

const dayMs = 86_400_000
/** A Monday. */
const monday = Date.UTC(2026, 5, 1)
const june = { startMs: monday, endMs: Date.UTC(2026, 6, 1), timeZone: 'UTC', limit: 300n, byDay: new Map() }

test('without history it goes on as it went: a third of the month is over, a third is spent', () => {
  const forecast = forecastSpend({ ...june, nowMs: monday + 10 * dayMs, spent: 100n })
  expect(forecast).toEqual({ projected: 300n, exhaustedMs: june.endMs })
  const twice = forecastSpend({ ...june, nowMs: monday + 10 * dayMs, spent: 200n })
  expect(twice).toEqual({ projected: 600n, exhaustedMs: monday + 15 * dayMs })
  const half = forecastSpend({ ...june, nowMs: monday + 10 * dayMs, spent: 50n })
  expect(half).toEqual({ projected: 150n, exhaustedMs: null })
})

test('says nothing too early, and nothing of nothing', () => {
  expect(forecastSpend({ ...june, nowMs: monday + 2 * dayMs, spent: 100n })).toBeUndefined()
  expect(forecastSpend({ ...june, nowMs: monday + 10 * dayMs, spent: 0n })).toBeUndefined()
  const day = { ...june, endMs: monday + dayMs }
  expect(forecastSpend({ ...day, nowMs: monday + dayMs / 8, spent: 1n })).toBeUndefined()
  expect(forecastSpend({ ...day, nowMs: monday + dayMs / 2, spent: 10n })?.projected).toBe(20n)
})

test('knows the shape of a week: Friday evening of five working days is not five sevenths', () => {
  const byDay = new Map<number, bigint>()
  for (let day = monday - 21 * dayMs; day < monday + 5 * dayMs; day += dayMs) {
    const weekday = new Date(day).getUTCDay()
    if (weekday !== 0 && weekday !== 6) byDay.set(day, 100n)
  }
  const week = { ...june, endMs: monday + 7 * dayMs, byDay, limit: 600n }
  const friday = { ...week, nowMs: monday + 5 * dayMs, spent: 500n }
  expect(forecastSpend(friday)).toEqual({ projected: 500n, exhaustedMs: null })
  expect(forecastSpend({ ...friday, byDay: new Map() })?.projected).toBe(700n)
  const wednesday = { ...week, nowMs: monday + 2 * dayMs, spent: 300n }
  expect(forecastSpend(wednesday)).toEqual({ projected: 750n, exhaustedMs: monday + 4 * dayMs })
})

test('days are those of the zone, with 23 and 25 hours', () => {
  const zone = { timeZone: 'Europe/Berlin', byDay: new Map(), limit: 1000n }
  const startMs = Date.UTC(2026, 1, 28, 23)
  const endMs = Date.UTC(2026, 2, 31, 22)
  const forecast = forecastSpend({
    ...zone,
    startMs,
    endMs,
    nowMs: startMs + (endMs - startMs) / 2,
    spent: 500n,
  })
  expect(forecast?.projected).toBe(1000n)
})

test('is never below what is spent, and the limit is reached within the window or not at all', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 10n ** 15n }),
      fc.bigInt({ min: 1n, max: 10n ** 15n }),
      fc.double({ min: 0.11, max: 0.99, noNaN: true }),
      fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { maxLength: 28 }),
      (spent, limit, share, history) => {
        const nowMs = Math.floor(june.startMs + share * (june.endMs - june.startMs))
        const today = nowMs - (nowMs % dayMs)
        const byDay = new Map(history.map((amount, index) => [today - (index + 1) * dayMs, amount]))
        const forecast = forecastSpend({ ...june, nowMs, spent, limit, byDay })
        if (forecast === undefined) return
        expect(forecast.projected >= spent).toBe(true)
        if (forecast.exhaustedMs === null) return
        expect(forecast.exhaustedMs).toBeGreaterThanOrEqual(nowMs)
        expect(forecast.exhaustedMs).toBeLessThanOrEqual(june.endMs)
      },
    ),
  )
})

test('sums the days that are over once a day, not at every look, and forgets budgets that are gone', async () => {
  const days = new SpendDays()
  const window = { ...june, organisationId: 'o', budgetId: 'b', spent: 1n }
  let reads = 0
  const look = async (nowMs: number, timeZone = 'UTC', isThere = true): Promise<number> => {
    const read = async () => {
      reads++
      return new Map([[june.startMs, BigInt(reads)]])
    }
    if (isThere) {
      const byDay = await days.of({ ...window, timeZone }, nowMs, read)
      expect(byDay.get(june.startMs)).toBe(BigInt(reads))
    }
    days.forgetOthers()
    return reads
  }
  for (let minute = 0; minute < 1440; minute += 60) expect(await look(monday + minute * 60_000)).toBe(1)
  expect(await look(monday + dayMs)).toBe(2)
  expect(await look(monday + dayMs, 'Asia/Tokyo')).toBe(3)
  await look(monday + dayMs, 'Asia/Tokyo', false)
  expect(await look(monday + dayMs, 'Asia/Tokyo')).toBe(4)
})
