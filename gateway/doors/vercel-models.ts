import type { PriceRow } from '@signalbox/sdk/contract'
import type { Snapshot } from '../snapshot.ts'
import { listNames } from '../steps/resolve-model.ts'
import type { Target, TargetTable } from '../targets.ts'

/** Version of the model specification that a client wants to read: that of its own major version, from 3 on. */
const client = /\bai-sdk\/gateway\/(\d+)\./
const specificationDefault = 4
const picoDigits = 12

function specificationOf(userAgent: string | undefined): string {
  const major = Number(client.exec(userAgent ?? '')?.[1] ?? specificationDefault)
  return major === 3 ? 'v3' : `v${specificationDefault}`
}

/** Pico-dollars as dollars, exact: `0.000003`. */
function usdOf(pico: number): string {
  const text = String(BigInt(Math.round(pico))).padStart(picoDigits + 1, '0')
  const fraction = text.slice(-picoDigits).replace(/0+$/, '')
  const whole = text.slice(0, -picoDigits)
  return fraction === '' ? whole : `${whole}.${fraction}`
}

function pricingOf(rows: readonly PriceRow[] | undefined): object {
  const units = rows?.[0]?.units
  if (units?.input === undefined) return {}
  const { input, output = 0, cacheRead, cacheWrite5m } = units
  const pricing = {
    input: usdOf(input),
    output: usdOf(output),
    ...(cacheRead !== undefined && { input_cache_read: usdOf(cacheRead) }),
    ...(cacheWrite5m !== undefined && { input_cache_write: usdOf(cacheWrite5m) }),
  }
  return { pricing }
}

function firstTarget(name: string, snapshot: Snapshot, table: TargetTable): Target | undefined {
  return table.find(snapshot.aliases.get(name)?.[0] ?? name)
}

/** The models as the AI SDK's gateway protocol lists them, with prices in USD per token where they are known. */
export function listVercelModels(
  userAgent: string | undefined,
  snapshot: Snapshot,
  table: TargetTable,
  mayUse: (name: string) => boolean,
): object {
  const specificationVersion = specificationOf(userAgent)
  const names = listNames(snapshot, table).filter(mayUse)
  const models = names.map((id) => {
    const target = firstTarget(id, snapshot, table)
    const provider = target?.row?.provider ?? target?.connection.name ?? 'signalbox'
    const specification = { specificationVersion, provider, modelId: id }
    return { id, name: target?.row?.name ?? id, ...pricingOf(target?.prices), specification }
  })
  return { models }
}
