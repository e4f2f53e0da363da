import type { WindowBalance } from '@signalbox/sdk'
import { css, html, LitElement, nothing, svg } from 'lit'
import { formatAmount, type Unit } from './amount.ts'
import { shared } from './styles.ts'

const width = 400
const parts = ['settled', 'leased', 'stranded', 'overrun'] as const

/** What is left of a window: its limit without all that is spent, in gateways' hands, or lost with them. */
export function remainingOf({ limit, settled, leased, stranded, overrun }: WindowBalance): bigint {
  return BigInt(limit) - BigInt(settled) - BigInt(leased) - BigInt(stranded) - BigInt(overrun)
}

/** A budget's window as a bar: spent, in gateways' hands, stranded, overrun, and what is left. */
export class SpendBar extends LitElement {
  static override properties = { balance: { attribute: false }, limit: {}, unit: {} }
  declare balance: WindowBalance | null
  /** Of a window that nobody has spent in. */
  declare limit: string
  declare unit: Unit

  constructor() {
    super()
    this.balance = null
    this.limit = '0'
    this.unit = 'usd'
  }

  #text(): string {
    const { balance, unit } = this
    if (balance === null) return `Nothing spent of ${formatAmount(this.limit, unit)}`
    const shown = parts
      .filter((name) => name === 'settled' || balance[name] !== '0')
      .map((name) => `${name} ${formatAmount(balance[name], unit)}`)
    const left = `remaining ${formatAmount(String(remainingOf(balance)), unit)}`
    return `${[...shown, left].join(', ')} of ${formatAmount(balance.limit, unit)}`
  }

  override render() {
    const { balance } = this
    const amounts = parts.map((name) => Number(balance?.[name] ?? 0))
    const whole = Math.max(
      1,
      Number(balance?.limit ?? 0),
      amounts.reduce((sum, each) => sum + each, 0),
    )
    let x = 0
    const rects = amounts.map((amount, index) => {
      const share = (amount / whole) * width
      const rect =
        amount === 0
          ? nothing
          : svg`<rect class=${parts[index] ?? ''} x=${x} width=${Math.max(1.5, share)} height="12" />`
      x += share
      return rect
    })
    // The figures are widths of rectangles: the page's policy allows no style attributes.
    return html`<svg viewBox="0 0 ${width} 12" preserveAspectRatio="none" role="img" aria-label=${this.#text()}>
      <title>${this.#text()}</title>${rects}
    </svg>`
  }

  static override styles = [
    shared,
    css`
      svg { display: block; width: 100%; height: 12px; min-width: 90px; border-radius: 6px; background: var(--sunken);
        box-shadow: inset 0 0 0 1px var(--line); }
      .settled { fill: var(--bar); }
      .leased { fill: var(--bar-soft); }
      .stranded { fill: var(--bar-warn); }
      .overrun { fill: var(--bar-bad); }
    `,
  ]
}
customElements.define('sb-spend-bar', SpendBar)

/** What the colours of a bar mean. */
export class SpendLegend extends LitElement {
  override render() {
    return html`<span><i class="settled"></i>settled</span>
      <span><i class="leased"></i>leased to gateways</span>
      <span><i class="stranded"></i>stranded</span>
      <span><i class="overrun"></i>overrun</span>
      <span><i></i>remaining</span>`
  }

  static override styles = [
    shared,
    css`
      :host { display: flex; gap: 6px 14px; flex-wrap: wrap; font-size: 12.5px; color: var(--muted); }
      span { display: inline-flex; gap: 6px; align-items: center; }
      i { width: 12px; height: 10px; border-radius: 3px; background: var(--sunken); box-shadow: inset 0 0 0 1px var(--line); }
      .settled { background: var(--bar); }
      .leased { background: var(--bar-soft); }
      .stranded { background: var(--bar-warn); }
      .overrun { background: var(--bar-bad); }
    `,
  ]
}
customElements.define('sb-spend-legend', SpendLegend)
