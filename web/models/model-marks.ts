import { html, nothing } from 'lit'
import type { OfferedModel } from './offered-models.ts'

/** How a model's life ends, where that is known, and what comes after it. */
export function lifeOf({ model }: OfferedModel) {
  const { retires, deprecated, successor } = model
  if (retires === undefined && deprecated !== true) return nothing
  const isOver = retires !== undefined && Date.parse(retires) <= Date.now()
  const text = retires === undefined ? 'deprecated' : `${isOver ? 'ended' : 'ends'} ${retires}`
  return html`<span class="badge ${isOver ? 'bad' : 'warn'}">${text}</span>
    ${successor === undefined ? nothing : html`<span class="small muted">use ${successor}</span>`}`
}

/** Where calls go: beside the caller or to a cloud. */
export function localityOf({ connections }: OfferedModel): string {
  return [...new Set(connections.map(({ locality }) => locality))].join(', ') || '–'
}

/** What the vendor does with data by its terms. */
export function dataPolicyOf({ vendor, connections }: OfferedModel): string {
  if (connections.length > 0 && connections.every(({ locality }) => locality === 'on-prem'))
    return 'stays here'
  if (vendor === undefined) return 'not known'
  const { trainsOnData, retentionDays } = vendor
  const trains = trainsOnData === undefined ? undefined : trainsOnData ? 'trains on it' : 'no training'
  const kept =
    retentionDays === undefined ? undefined : retentionDays === 0 ? 'not kept' : `kept ${retentionDays} d`
  return [trains, kept].filter((each) => each !== undefined).join(', ') || 'not known'
}
