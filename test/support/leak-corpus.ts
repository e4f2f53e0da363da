/*
 * Texts with things in them that must not get out, made from what issuers and standards publish of their forms (ISO
 * 7812 and 13616, RFC 5322, 7468 and 7519, E.164, vendors' documentation), not from the patterns of any detector.
 */

/** A stream of numbers from 0 to 1 that is the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const lowers = 'abcdefghijklmnopqrstuvwxyz'
const uppers = lowers.toUpperCase()
const digits = '0123456789'
const base62 = digits + uppers + lowers
const hex = '0123456789abcdef'

class Maker {
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  below(count: number): number {
    return Math.floor(this.#random() * count)
  }
  of<T>(list: readonly T[]): T {
    const one = list[this.below(list.length)]
    if (one === undefined) throw new RangeError('an empty list')
    return one
  }
  chars(alphabet: string, count: number): string {
    return Array.from({ length: count }, () => alphabet[this.below(alphabet.length)]).join('')
  }
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }
}

function luhnDigit(number: string): string {
  let sum = 0
  for (const [index, each] of [...number].reverse().entries()) {
    const doubled = Number(each) * (index % 2 === 0 ? 2 : 1)
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return String((10 - (sum % 10)) % 10)
}

/** Check digits of ISO 13616 over a country and its account. */
function ibanOf(country: string, account: string): string {
  const value = `${account}${country}00`.replace(/[A-Z]/g, (each) => String(each.charCodeAt(0) - 55))
  let rest = 0
  for (const each of value) rest = (rest * 10 + Number(each)) % 97
  return `${country}${String(98 - rest).padStart(2, '0')}${account}`
}

const inGroups = (text: string, size: number, sign: string): string =>
  (text.match(new RegExp(`.{1,${size}}`, 'g')) ?? []).join(sign)
const firstNames = ['ada', 'grace', 'linus', 'marie', 'søren', 'jürgen', 'tim.b', 'o.hara', 'x']
const domains = ['mailbox.org', 'corp.example-bank.co.uk', 'uni-mainz.de', 'proton.me', 'a.b.c.io']

type Make = (maker: Maker) => string
const makes: readonly Make[] = [
  (m) => `${m.of(firstNames).replace(/[^\w.]/g, '')}${m.below(1000)}@${m.of(domains)}`,
  (m) => {
    const start = m.of(['4', '51', '55', '6011', '2221'])
    const body = start + m.chars(digits, 15 - start.length)
    const card = body + luhnDigit(body)
    return m.of([card, inGroups(card, 4, ' '), inGroups(card, 4, '-')])
  },
  (m) => {
    const iban = m.of([
      ibanOf('DE', m.chars(digits, 18)),
      ibanOf('FR', m.chars(digits, 23)),
      ibanOf('GB', m.chars(uppers, 4) + m.chars(digits, 14)),
    ])
    return m.of([iban, inGroups(iban, 4, ' ')])
  },
  (m) => `${m.between(101, 665)}-${m.between(11, 99)}-${m.between(1001, 9999)}`,
  (m) =>
    `+${m.of(['44 20', '1 415', '49 30', '33 1'])} ${m.between(2, 9)}${m.chars(digits, 3)} ${m.chars(digits, 4)}`,
  (m) => `(${m.between(212, 989)}) ${m.between(234, 989)}-${m.chars(digits, 4)}`,
  (m) => `ghp_${m.chars(base62, 36)}`,
  (m) => `github_pat_${m.chars(base62, 22)}_${m.chars(base62, 59)}`,
  (m) => `${m.of(['AKIA', 'ASIA'])}${m.chars(`${uppers}234567`, 16)}`,
  (m) => `sk-ant-api03-${m.chars(`${base62}-_`, 93)}AA`,
  (m) => `sk-proj-${m.chars(`${base62}-_`, 120)}`,
  (m) => `sk_live_${m.chars(base62, 24)}`,
  (m) => `xoxb-${m.chars(digits, 12)}-${m.chars(digits, 13)}-${m.chars(base62, 24)}`,
  (m) => `AIza${m.chars(`${base62}-_`, 35)}`,
  (m) => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { sub: m.chars(digits, 10), name: m.of(firstNames), iat: 1_500_000_000 + m.below(1e8) }
    return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.${m.chars(`${base62}-_`, 43)}`
  },
  (m) => {
    const kind = m.of(['RSA PRIVATE KEY', 'PRIVATE KEY', 'EC PRIVATE KEY', 'OPENSSH PRIVATE KEY'])
    const lines = Array.from({ length: m.between(3, 14) }, () => m.chars(`${base62}+/`, 64))
    return [`-----BEGIN ${kind}-----`, ...lines, `${m.chars(base62, 30)}==`, `-----END ${kind}-----`].join(
      '\n',
    )
  },
  (m) =>
    `${m.of(['postgres', 'mongodb+srv', 'amqp', 'redis'])}://${m.chars(lowers, 6)}:${m.chars(base62, m.between(8, 30))}@db.${m.chars(lowers, 6)}.internal:5432`,
  (m) => `glpat-${m.chars(base62, 20)}`,
  (m) => `npm_${m.chars(base62, 36)}`,
  (m) => `hf_${m.chars(base62, 34)}`,
  (m) => `SG.${m.chars(base62, 22)}.${m.chars(base62, 43)}`,
  (m) => `password: ${m.chars(base62, 8)}!${m.chars(digits, 3)}${m.chars(lowers, 4)}`,
  (m) => `api_key = "${m.chars(base62, 32)}"`,
  (m) => `born on ${m.between(1, 28)} March ${m.between(1940, 2005)}`,
  (m) => `ACME-${m.chars(digits, 6)}-${m.chars(uppers, 3)}`,
  (m) => m.of(['Project Nightjar', 'project nightjar', 'Operation Kestrel']),
  (m) => `${m.chars(hex, 4)}`,
]

const words = [
  ...[
    'the',
    'report',
    'shows',
    'that',
    'revenue',
    'grew',
    'in',
    'the',
    'north;',
    'see',
    '(page',
    '12)',
    'and',
    'ask',
  ],
  ...[
    '“Zürich”,',
    'naïve',
    '東京',
    '駅で',
    '🙂',
    '👩‍💻',
    'line',
    '\n',
    '\n\n',
    'über',
    'Straße',
    'x=1;',
    '{a:',
    '1}',
    'Привет',
  ],
]
const around = [' ', ' ', ' ', '"', '\n', ': ', '(', ', ', '=']

function prose(maker: Maker, least: number, most: number): string {
  const count = maker.between(least, most)
  return Array.from({ length: count }, () => maker.of(words)).join(' ')
}

/** A text with one to three things in it. */
export function leakText(random: () => number): string {
  const maker = new Maker(random)
  let text = prose(maker, 0, 40)
  for (let count = maker.between(1, 3); count > 0; count--) {
    text += maker.of(around) + maker.of(makes)(maker) + maker.of(around) + prose(maker, 0, 30)
  }
  return text
}

/** Where a text is cut into pieces: how the pieces fall around its matches. */
export const splitClasses = ['units', 'whole', 'edges', 'inside', 'random', 'words'] as const
export type SplitClass = (typeof splitClasses)[number]

/** A text in pieces. `matches` are places in it. */
export function splitText(
  text: string,
  how: SplitClass,
  {
    matches,
    random,
  }: { readonly matches: readonly { start: number; end: number }[]; readonly random: () => number },
): string[] {
  const cuts = new Set<number>()
  const any = (): number => Math.floor(random() * (text.length + 1))
  if (how === 'units') return text.split('')
  if (how === 'words') return text.match(/\S+\s*|\s+/g) ?? []
  for (const { start, end } of how === 'edges' || how === 'inside' ? matches : []) {
    const inside = [start + 1, (start + end) >> 1, end - 1, start + Math.floor(random() * (end - start))]
    for (const cut of how === 'edges' ? [start, end] : inside) cuts.add(cut)
  }
  if (how === 'random') for (let count = 0; count < 12; count++) cuts.add(any())
  const places = [0, ...[...cuts].sort((a, b) => a - b), text.length]
  return places.slice(1).flatMap((cut, index) => {
    const piece = text.slice(places[index], cut)
    return piece === '' ? [] : [piece]
  })
}
