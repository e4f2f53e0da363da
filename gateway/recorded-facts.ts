import {
  type CallRecord,
  type Decision,
  type Facts,
  personalFacts,
  type RecordBody,
  type StateDocument,
  type StateFactsRule,
} from '@signalbox/sdk/contract'
import { type ByOwner, byOwner, ownedOnPath } from './owned-by.ts'
import type { Snapshot } from './snapshot.ts'
import type { Trail } from './trail.ts'

/** What the record of a call may have of its facts: none, or all but those at these paths. Texts name neither. */
export interface RecordedFacts {
  readonly class: 'digest' | 'masked'
  readonly paths: ReadonlySet<string>
}

const owners = new WeakMap<StateDocument, ByOwner<StateFactsRule>>()
/** What a text says in place of a value that is masked. */
const hiddenText = '‹masked›'
/** Most that a record names. */
const masksMax = 64
/** A shorter value is found in a text only where it is all of it: it would be found in others by chance. */
const foundLengthMin = 4
const metadataPath = 'request.metadata'
const userNames = ['user', 'userId', 'user_id'].map((name) => `${metadataPath}.${name}`)

/** Where else a fact stands. The sticky key is the user, else the session, else the key. */
const alsoAt: Readonly<Record<string, readonly string[]>> = {
  'subject.userId': ['subject.stickyKey', ...userNames],
  session: ['subject.stickyKey'],
  'request.route': [`${metadataPath}.route`],
  [`${metadataPath}.route`]: ['request.route'],
  [metadataPath]: ['request.route'],
  ...Object.fromEntries(userNames.map((path) => [path, ['subject.userId', 'subject.stickyKey']])),
}
/** What stands in place of facts that every call has; others are left out. */
const blanks: Readonly<Record<string, unknown>> = {
  'data.detectors': {},
  'request.route': '',
  'request.tools.names': [],
  'subject.keyName': '',
}

function rulesOf(snapshot: Snapshot, rules: readonly StateFactsRule[], trail: Masked): StateFactsRule[] {
  let owned = owners.get(snapshot.state)
  if (owned === undefined) {
    owned = byOwner(rules)
    owners.set(snapshot.state, owned)
  }
  const { environment } = snapshot.release
  return [
    ...(owned.get(`environment:${environment}`) ?? []),
    ...ownedOnPath(owned, { id: trail.keyId ?? '', node: trail.nodeId ?? '' }, snapshot),
  ]
}

/** What is to be known of a call. */
type Masked = Pick<Trail, 'snapshot' | 'keyId' | 'nodeId' | 'metadata'>
type Declarations = readonly Readonly<Record<string, Readonly<Record<string, unknown>>>>[]

/** Whether the values of a property are listed, so that one of them says nothing of who somebody is. */
function isListed(name: string, declared: Declarations): boolean {
  const schemas = declared.flatMap((each) => (Object.hasOwn(each, name) ? [each[name]] : []))
  const lists = (schema: Readonly<Record<string, unknown>> | undefined) =>
    schema?.enum !== undefined || schema?.const !== undefined || schema?.type === 'boolean'
  return schemas.length > 0 && schemas.every(lists)
}

function personalPaths(trail: Masked, snapshot: Snapshot): string[] {
  const declared = snapshot.versions.map(({ compiled }) => compiled.metadata)
  const free = Object.keys(trail.metadata).filter((name) => !isListed(name, declared))
  return [...personalFacts, ...free.map((name) => `${metadataPath}.${name}`)]
}

/** What the record of a call may have of its facts, by the rules of its environment, key and nodes; undefined: all. */
export function recordedFactsOf(trail: Masked): RecordedFacts | undefined {
  const { snapshot } = trail
  const told = snapshot?.state.factsRules
  if (snapshot === undefined || told === undefined || told.length === 0) return undefined
  const rules = rulesOf(snapshot, told, trail)
  if (rules.length === 0) return undefined
  const isDigest = rules.some((rule) => rule.class === 'digest')
  const named = rules.flatMap(({ mask }) => mask ?? personalPaths(trail, snapshot))
  const paths = new Set(named.flatMap((path) => [path, ...(alsoAt[path] ?? [])]))
  return { class: isDigest ? 'digest' : 'masked', paths }
}

type Tree = Record<string, unknown>
const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** All texts of a value, so that they can be found elsewhere. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  if (typeof value === 'number') return [String(value)]
  if (Array.isArray(value)) return value.flatMap(textsOf)
  return isTree(value) ? Object.values(value).flatMap(textsOf) : []
}
const isEmpty = (value: unknown): boolean =>
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (isTree(value) && Object.keys(value).length === 0)

/** Takes out what stands at a path. Gives it; undefined where nothing stood there. */
function takeOut(facts: Tree, path: string): unknown {
  const names = path.startsWith(`${metadataPath}.`)
    ? ['request', 'metadata', path.slice(metadataPath.length + 1)]
    : path.split('.')
  const last = names.pop() ?? ''
  let at: unknown = facts
  for (const name of names) at = isTree(at) ? at[name] : undefined
  if (!isTree(at) || !Object.hasOwn(at, last) || isEmpty(at[last])) return undefined
  const found = at[last]
  if (path === metadataPath) at[last] = {}
  else if (Object.hasOwn(blanks, path)) at[last] = structuredClone(blanks[path])
  else delete at[last]
  return found
}

/** Texts that policies and refusals wrote, without the values that are masked. */
class Hider {
  readonly #whole: ReadonlySet<string>
  readonly #parts: readonly string[]

  constructor(values: readonly string[]) {
    this.#whole = new Set(values)
    this.#parts = [...this.#whole]
      .filter(({ length }) => length >= foundLengthMin)
      .sort((one, other) => other.length - one.length)
  }

  /** What the text says without them, cut to its maximum. */
  text(text: string, lengthMax: number): string {
    if (this.#whole.has(text)) return hiddenText
    const left = this.#parts.reduce((each, part) => each.replaceAll(part, hiddenText), text)
    return left.slice(0, lengthMax).toWellFormed()
  }

  texts<T extends Readonly<Record<string, string>>>(texts: T): Record<string, string> {
    return Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [this.text(name, 64), this.text(text, 256)]),
    )
  }

  decision(decision: Decision): Decision {
    const { reasons, obligations, annotations } = decision
    return {
      ...decision,
      reasons: reasons.map((reason) =>
        reason.message === undefined ? reason : { ...reason, message: this.text(reason.message, 512) },
      ),
      obligations: obligations.map(({ type, args }) => ({ type, args: this.texts(args) })),
      annotations: this.texts(annotations),
    }
  }

  body(body: RecordBody): RecordBody {
    const { decision, policies, verdicts, error } = body
    return {
      ...body,
      verdicts: verdicts.map((verdict) =>
        verdict.annotations === undefined
          ? verdict
          : { ...verdict, annotations: this.texts(verdict.annotations) },
      ),
      ...(decision !== undefined && { decision: this.decision(decision) }),
      policies: policies.map((policy) =>
        policy.error === undefined
          ? policy
          : { ...policy, error: { ...policy.error, message: this.text(policy.error.message, 512) } },
      ),
      ...(error !== undefined && {
        error: {
          ...error,
          message: this.text(error.message, 512),
          ...(error.detail !== undefined && { detail: this.text(error.detail, 2048) }),
        },
      }),
    }
  }
}

/** Metadata that policies were not asked with, as of calls that were refused before, is masked all the same. */
function maskedMetadata(metadata: CallRecord['row']['metadata'], isMasked: (path: string) => boolean) {
  const entries = Object.entries(metadata)
  return {
    left: Object.fromEntries(entries.filter(([name]) => !isMasked(`${metadataPath}.${name}`))),
    gone: entries.flatMap(([name, value]) => (isMasked(`${metadataPath}.${name}`) ? textsOf(value) : [])),
  }
}

/** What is taken out. Where that is more than a record can name, all metadata goes. */
function pathsOf(may: RecordedFacts): string[] {
  if (may.class === 'digest') return [...new Set([...may.paths, ...personalFacts, metadataPath])]
  const paths = [...may.paths].sort()
  if (paths.length <= masksMax) return paths
  return [...paths.filter((path) => !path.startsWith(`${metadataPath}.`)), metadataPath]
}

/**
 * A record with no more of its facts than it may have. They are taken out here, before anything is written: journal,
 * segments, rows and spans have never had them. The digest stays that of all facts.
 */
export function withRecordedFacts({ row, body }: CallRecord, may: RecordedFacts): CallRecord {
  const isMasked = (path: string): boolean =>
    may.class === 'digest' || may.paths.has(metadataPath) || may.paths.has(path)
  const metadata = maskedMetadata(row.metadata, isMasked)
  const { facts: known, ...rest } = body
  const facts: Facts | undefined = known === undefined ? undefined : structuredClone(known)
  const masked: string[] = []
  const values = [...metadata.gone]
  const take = (path: string): void => {
    const found = facts === undefined ? undefined : takeOut(facts as Tree, path)
    if (found === undefined) return
    masked.push(path)
    values.push(...textsOf(found))
  }
  for (const path of pathsOf(may)) take(path)
  const left = new Hider(values).body(rest)
  const shown = { ...row, metadata: metadata.left }
  if (may.class === 'digest') return { row: shown, body: { ...left, factsClass: 'digest' } }
  if (facts === undefined || masked.length === 0) {
    return { row: shown, body: { ...left, ...(facts !== undefined && { facts }) } }
  }
  return { row: shown, body: { ...left, factsClass: 'masked', facts, masked } }
}
