import type { LeakRig } from '../gateway/guardrails/leak-rig.ts'
import { upstreamNames } from '../gateway/guardrails/leak-rig.ts'
import { dialects, type Place } from '../gateway/guardrails/streams.ts'
import { leakText, randomFrom, splitClasses, splitText } from './leak-corpus.ts'

const places: readonly Place[] = ['text', 'toolCall', 'reasoning']
const chunks = [1, 7, 1460] as const

/** What came of many streams. */
export interface LeakReport {
  streams: number
  matches: number
  /** Streams in which something of a match went out. */
  readonly leaks: string[]
  /** Streams that differ otherwise from what is left of the whole text. */
  readonly others: string[]
}

/** Text of arguments that hold a text, some with escapes that nobody needs. */
function argumentsOf(text: string, random: () => number): string {
  const json = JSON.stringify({ note: text })
  if (random() < 0.5) return json
  return json.replace(/[@\u0080-\uffff]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The longest part of a match that stands in a text. */
function overlap(match: string, text: string): string {
  let longest = ''
  for (let start = 0; start < match.length; start++) {
    while (
      text.includes(match.slice(start, start + longest.length + 1)) &&
      start + longest.length < match.length
    ) {
      longest = match.slice(start, start + longest.length + 1)
    }
  }
  return longest
}

/** Sends so many matches, in pieces of every class, through every place and dialect. */
export function checkLeaks(rig: LeakRig, matchesMin: number, seed: number): LeakReport {
  const random = randomFrom(seed)
  const report: LeakReport = { streams: 0, matches: 0, leaks: [], others: [] }
  for (let run = 0; report.matches < matchesMin; run++) {
    const text = leakText(random)
    const place = places[run % places.length] ?? 'text'
    const how = splitClasses[Math.floor(run / 3) % splitClasses.length] ?? 'units'
    const to = dialects[Math.floor(run / 18) % dialects.length] ?? 'openai-chat'
    const from = upstreamNames[Math.floor(run / 72) % upstreamNames.length] ?? 'chat'
    const said = place === 'toolCall' ? argumentsOf(text, random) : text
    const matches = rig.matchesIn(place === 'toolCall' ? said : text)
    const pieces = splitText(said, how, { matches, random })
    const chunkBytes = chunks[run % chunks.length] ?? 1
    const out = rig.run(pieces, { place, from, to, chunkBytes })
    const read = place === 'toolCall' ? String(Object(JSON.parse(out.text)).note) : out.text
    // Arguments are scanned as they are read: with the name and the quotes around the text.
    const whole = place === 'toolCall' ? `{"note":"${text}"}` : text
    const found = rig.matchesIn(whole)
    const wanted = rig.redacted(whole)
    report.streams++
    report.matches += found.length
    if (read === (place === 'toolCall' ? wanted.slice(9, -2) : wanted)) continue
    const parts = found.map(({ start, end }) => overlap(whole.slice(start, end), read))
    const where = `${place} ${how} ${from}→${to}: ${JSON.stringify(read)} for ${JSON.stringify(wanted)}`
    if (parts.some((part) => part.length > 5)) report.leaks.push(where)
    else report.others.push(where)
  }
  return report
}

/**
 * Sends so many matches in answers whose blocks begin and end anywhere, in a match too: nothing of it is read by a
 * client that puts the blocks together.
 */
export function checkBlocks(rig: LeakRig, matchesMin: number, seed: number): LeakReport {
  const random = randomFrom(seed)
  const report: LeakReport = { streams: 0, matches: 0, leaks: [], others: [] }
  for (let run = 0; report.matches < matchesMin; run++) {
    const text = leakText(random)
    const place = run % 2 === 0 ? 'text' : 'reasoning'
    const how = splitClasses[Math.floor(run / 2) % splitClasses.length] ?? 'units'
    const to = dialects[Math.floor(run / 12) % dialects.length] ?? 'openai-chat'
    const found = rig.matchesIn(text)
    const pieces = splitText(text, how, { matches: found, random })
    const out = rig.run(pieces, { place, from: 'blocks', to, chunkBytes: chunks[run % chunks.length] ?? 1 })
    report.streams++
    report.matches += found.length
    const wanted = rig.redacted(text)
    if (out.text === wanted) continue
    const parts = found.map(({ start, end }) => overlap(text.slice(start, end), out.text))
    const where = `${place} ${how} →${to}: ${JSON.stringify(out.text)} for ${JSON.stringify(wanted)}`
    if (parts.some((part) => part.length > 5)) report.leaks.push(where)
    else report.others.push(where)
  }
  return report
}
