import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { HoldJournal } from './hold-journal.ts'
import { Money, type MoneyOptions } from './money.ts'
import { type RecoverOptions, recoverHolds } from './recover-holds.ts'
import { RefusedReports } from './refused-reports.ts'

/** Between two tries to report what earlier runs held. */
const recoverPauseMs = 5000

export interface OpenMoneyOptions extends Omit<MoneyOptions, 'journal' | 'refused'> {
  /** Journals of holds are kept here. */
  readonly folder: string
}
/** Money that reports. */
export interface OpenMoney {
  readonly money: Money
  close(withinMs: number): Promise<void>
}

/** Names this boot of the machine (Linux); undefined elsewhere, where no journal is evidence. */
function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return undefined
  }
}

/** Opens the journal, begins to report, and tells the ledger what runs that died on this boot had held. */
export function openMoney(options: OpenMoneyOptions): OpenMoney {
  const { folder, incarnation, log } = options
  const bootId = readBootId()
  const journal = new HoldJournal({ folder, incarnation, bootId: bootId ?? '-', log })
  const refused = new RefusedReports({ ...options, folder: join(folder, 'refused') })
  const money = new Money({ ...options, journal, refused })
  money.start()
  const stop = new AbortController()
  const recovering = recover({ ...options, refused, bootId, signal: stop.signal })
  return {
    money,
    async close(withinMs) {
      stop.abort()
      await recovering
      await money.close(withinMs)
    },
  }
}

async function recover(
  options: OpenMoneyOptions & Pick<RecoverOptions, 'refused' | 'bootId' | 'signal'>,
): Promise<void> {
  const { signal, log, clock } = options
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      await recoverHolds({ ...options, nowMs: Math.floor(clock.nowMs()) })
      return
    } catch (error) {
      if (signal.aborted) return
      if (tries === 1) log.warn({ reason: String(error) }, 'holds of an earlier run cannot be reported yet')
      await wait(recoverPauseMs, undefined, { signal }).catch(() => {})
    }
  }
}
