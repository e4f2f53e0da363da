import { css } from 'lit'

/** What every page and element shares: type, buttons, fields, tables, cards. */
export const shared = css`
  :host { display: block; color: var(--text); font: 14px/1.5 var(--font); }
  *, *::before, *::after { box-sizing: border-box; }
  [hidden] { display: none !important; }
  h1 { font-size: 22px; line-height: 1.25; font-weight: 650; margin: 0; letter-spacing: -0.01em; }
  h2 { font-size: 15px; font-weight: 620; margin: 0; }
  p { margin: 0; }
  a { color: var(--accent); text-decoration: none; }
  a:hover { text-decoration: underline; }
  :is(p, h2, h3) > a { text-decoration: underline; text-underline-offset: 2px; }
  :focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
  code, pre, .mono { font-family: var(--mono); font-size: 12.5px; }
  .muted { color: var(--muted); }
  .small { font-size: 12.5px; }
  .row { display: flex; gap: 10px; align-items: center; flex-wrap: wrap; }
  .spread { justify-content: space-between; }
  .stack { display: grid; grid-template-columns: minmax(0, 1fr); gap: 20px; }
  .head { display: flex; gap: 12px; align-items: end; justify-content: space-between; flex-wrap: wrap; margin-bottom: 20px; }
  .card { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; }
  .card > header { padding: 14px 18px; border-bottom: 1px solid var(--line); display: flex; justify-content: space-between;
    align-items: center; gap: 12px; flex-wrap: wrap; }
  .pad { padding: 18px; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; }
  th { text-align: left; font-weight: 560; color: var(--muted); font-size: 12.5px; padding: 9px 18px; white-space: nowrap;
    border-bottom: 1px solid var(--line); background: var(--sunken); }
  thead td { background: var(--sunken); }
  td { padding: 10px 18px; border-bottom: 1px solid var(--line); vertical-align: middle; }
  tr:last-child > td { border-bottom: 0; }
  thead tr:last-child > td { border-bottom: 1px solid var(--line); }
  td.num, th.num { text-align: right; font-variant-numeric: tabular-nums; }
  tbody tr.link { cursor: pointer; }
  tbody tr.link:hover { background: var(--sunken); }
  button, .button { font: inherit; font-weight: 560; border: 1px solid var(--line-strong); background: var(--raised);
    color: var(--text); border-radius: 8px; padding: 6px 13px; cursor: pointer; display: inline-flex; gap: 6px;
    align-items: center; text-decoration: none; }
  button:hover { border-color: var(--muted); }
  button:disabled { opacity: 0.55; cursor: default; }
  button.primary { background: var(--accent); border-color: var(--accent); color: var(--accent-text); }
  button.danger { color: var(--bad); }
  button.quiet { border-color: transparent; background: transparent; color: var(--muted); }
  button.quiet:hover { color: var(--text); background: var(--sunken); }
  label { display: grid; gap: 5px; font-weight: 560; font-size: 13px; }
  input, select { font: inherit; font-weight: 400; color: var(--text); background: var(--surface);
    border: 1px solid var(--line-strong); border-radius: 8px; padding: 6px 10px; min-width: 0; min-height: 34px; }
  input[type='checkbox'], input[type='radio'] { min-height: 0; }
  .badge { display: inline-block; font-size: 12px; font-weight: 560; padding: 1px 8px; border-radius: 99px;
    background: var(--sunken); color: var(--muted); white-space: nowrap; }
  .badge.good { background: var(--good-soft); color: var(--good); }
  .badge.bad { background: var(--bad-soft); color: var(--bad); }
  .badge.warn { background: var(--warn-soft); color: var(--warn); }
  .badge.accent { background: var(--accent-soft); color: var(--accent); }
  .error { background: var(--bad-soft); color: var(--bad); border-radius: 8px; padding: 10px 14px; }
  @media (max-width: 700px) {
    th, td { padding-left: 12px; padding-right: 12px; }
  }
`
