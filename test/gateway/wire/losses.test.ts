import { Refusal } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { Losses, lossNamesMax } from '../../../gateway/wire/losses.ts'

function refusalOf(act: () => void): Refusal {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal) return error
  }
  throw new Error('nothing was refused')
}

describe('Losses', () => {
  it('names a path once, with every index as []', () => {
    const losses = new Losses()
    losses.drop('messages[0].content[1].cache_control')
    losses.drop('messages[7].content[0].cache_control')
    losses.drop('seed')
    losses.dropAnswer('thinking.signature')
    expect(losses.dropped).toEqual(['messages[].content[].cache_control', 'seed'])
    expect(losses.responseDropped).toEqual(['response.thinking.signature'])
  })

  it('refuses what changes the meaning, with the exact path, unless the call may lose it', () => {
    const { code, param } = refusalOf(() => new Losses().dropMeaning('messages[3].content[0].input_audio'))
    expect({ code, param }).toEqual({
      code: 'unsupported_feature',
      param: 'messages[3].content[0].input_audio',
    })
    expect(refusalOf(() => new Losses('warn').dropMeaning('n')).param).toBe('n')
    const lossy = new Losses('lossy')
    lossy.dropMeaning('n')
    expect(lossy.dropped).toEqual(['n'])
  })

  it('refuses every loss of a strict call', () => {
    expect(refusalOf(() => new Losses('strict').drop('seed')).param).toBe('seed')
    expect(refusalOf(() => new Losses('strict').dropAnswer('stop_sequence')).code).toBe('unsupported_feature')
  })

  it('counts names beyond its limit instead of keeping them', () => {
    const losses = new Losses()
    for (let i = 0; i < lossNamesMax + 5; i++) losses.drop(`member_${i}`)
    losses.drop('member_0')
    expect(losses.dropped).toHaveLength(lossNamesMax + 1)
    expect(losses.dropped.at(-1)).toBe('+5')
  })
})
