import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@signalbox/sdk/node'
import { afterEach, describe, expect, it } from 'vitest'
import { bucketOf } from '../../../gateway/rollouts/choose-arms.ts'
import { Tripwires } from '../../../gateway/rollouts/tripwires.ts'
import type { ReleasedRollout } from '../../../gateway/snapshot.ts'

const folder = mkdtempSync(join(tmpdir(), 'signalbox-tripwires-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const candidate = `sha256:${'c'.repeat(64)}`
const stable = `sha256:${'a'.repeat(64)}`
const rollout: ReleasedRollout = {
  ...{ deploymentId: 'deployment-1', id: 'rollout-1', workspace: 'acme', at: 0, stable, candidate },
  ...{ ppm: 50_000, teams: new Set(), by: 'user', salt: 'salt' },
  tripwire: { calls: 3, ppm: 10_000, windowMs: 60_000 },
}
let nowMs = 1_000_000
const open = () => Tripwires.open(folder, { clock: () => nowMs, log: createLogger('test', 'silent') })

function note(tripwires: Tripwires, arm: 'stable' | 'candidate', failure?: string, id = 'call'): void {
  const version = arm === 'stable' ? stable : candidate
  const part = { deployment: 'deployment-1', workspace: 'acme', arm, version }
  tripwires.note({ rollout, part, environment: 'production' }, { id, failure })
}

describe('a tripwire', () => {
  it('stops a candidate at the third call whose policies fail, and says which calls those were', async () => {
    const tripwires = await open()
    for (const id of ['one', 'two']) note(tripwires, 'candidate', 'broke', id)
    note(tripwires, 'candidate')
    expect(tripwires.isStopped('rollout-1')).toBe(false)
    note(tripwires, 'candidate', 'broke', 'three')
    expect(tripwires.isStopped('rollout-1')).toBe(true)
    expect(tripwires.untold()).toMatchObject([
      { deployment: 'deployment-1', candidate, calls: 4, failed: 3, records: ['one', 'two', 'three'] },
    ])
    await tripwires.flush()
  })

  it('keeps it stopped over a restart, until the control plane was told and after', async () => {
    const first = await open()
    for (let call = 0; call < 3; call++) note(first, 'candidate', 'broke')
    await first.flush()
    const second = await open()
    expect(second.isStopped('rollout-1')).toBe(true)
    const [trip] = second.untold()
    if (trip === undefined) throw new Error('nothing is untold')
    second.noteTold(trip)
    await second.flush()
    const third = await open()
    expect(third.isStopped('rollout-1')).toBe(true)
    expect(third.untold()).toEqual([])
  })

  it('does not mind failures that are rare, long ago, or as frequent with the stable version', async () => {
    const tripwires = await open()
    for (let call = 0; call < 1000; call++) note(tripwires, 'candidate')
    for (let call = 0; call < 9; call++) note(tripwires, 'candidate', 'broke')
    expect(tripwires.isStopped('rollout-1')).toBe(false)
    nowMs += 70_000
    for (let call = 0; call < 2; call++) note(tripwires, 'candidate', 'broke')
    expect(tripwires.isStopped('rollout-1')).toBe(false)
    nowMs += 70_000
    for (let call = 0; call < 50; call++) {
      note(tripwires, 'stable', 'broke')
      note(tripwires, 'candidate', 'broke')
    }
    expect(tripwires.isStopped('rollout-1')).toBe(false)
  })
})

describe('the bucket of a caller', () => {
  const drawn = (userId: string) => ({ userId, sessionId: undefined, keyId: 'key-1' })

  it('is the same for a user wherever he calls from, and spread evenly', () => {
    const users = Array.from({ length: 20_000 }, (_, index) => `user-${index}`)
    const inside = users.filter((user) => bucketOf('salt', 'user', drawn(user)) < 50_000)
    expect(inside.length).toBeGreaterThan(900)
    expect(inside.length).toBeLessThan(1100)
    for (const user of inside.slice(0, 10)) {
      const elsewhere = { userId: user, sessionId: 'another', keyId: 'key-2' }
      expect(bucketOf('salt', 'user', elsewhere)).toBe(bucketOf('salt', 'user', drawn(user)))
    }
  })

  it('goes by what is known where the caller does not say what it should go by', () => {
    const nobody = { userId: undefined, sessionId: undefined, keyId: 'key-1' }
    expect(bucketOf('salt', 'user', nobody)).toBe(bucketOf('salt', 'user', drawn('key-1')))
    expect(bucketOf('salt', 'session', drawn('user-1'))).toBe(
      bucketOf('salt', 'session', { ...nobody, sessionId: 'user-1' }),
    )
    expect(bucketOf('salt', 'key', drawn('user-1'))).toBe(bucketOf('salt', 'key', nobody))
  })

  it('is another one with another salt', () => {
    const users = Array.from({ length: 200 }, (_, index) => drawn(`user-${index}`))
    const moved = users.filter((each) => bucketOf('a', 'user', each) !== bucketOf('b', 'user', each))
    expect(moved.length).toBeGreaterThan(190)
  })
})
