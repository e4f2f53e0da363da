import type { Me } from '@signalbox/sdk'

/** What a refused report tells of: what leases spent, and what attempts cost. Empty where it is not readable. */
export interface Reported {
  readonly leases: readonly string[]
  readonly settlements: readonly { readonly callId: string; readonly actual: string }[]
}

const isAmount = (value: unknown): value is string => typeof value === 'string' && /^\d{1,30}$/.test(value)
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
const objectsOf = (value: unknown) => (Array.isArray(value) ? value.filter(isObject) : [])

/** Reads what a gateway told, as far as it makes sense: it was refused, so it may be anything. */
export function parseReported(report: string): Reported {
  let told: unknown
  try {
    told = JSON.parse(report)
  } catch {
    told = undefined
  }
  if (!isObject(told)) return { leases: [], settlements: [] }
  return {
    leases: objectsOf(told.leases).flatMap(({ settled }) => (isAmount(settled) ? [settled] : [])),
    settlements: objectsOf(told.settlements).flatMap(({ callId, actual }) =>
      typeof callId === 'string' && isAmount(actual) ? [{ callId, actual }] : [],
    ),
  }
}

/** Whether somebody sees refused reports: they are the whole organisation's. */
export const mayReadRefused = ({ grants }: Me): boolean => grants.some(({ node }) => node.path === '')

/** Whether somebody may retry and void them. */
export const mayDecideRefused = ({ grants }: Me): boolean =>
  grants.some(({ role, node }) => node.path === '' && /^(owner|admin|finance)$/.test(role))
