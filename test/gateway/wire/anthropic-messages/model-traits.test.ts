import { describe, expect, it } from 'vitest'
import { claudeTraits } from '../../../../gateway/wire/anthropic-messages/model-traits.ts'

describe('claudeTraits', () => {
  it.each([
    ['claude-3-haiku-20240307', 'never'],
    ['claude-3-5-sonnet-20241022', 'never'],
    ['claude-3-7-sonnet-20250219', 'budget'],
    ['claude-sonnet-4-20250514', 'budget'],
    ['claude-opus-4-1-20250805', 'budget'],
    ['claude-sonnet-4.5', 'budget'],
    ['claude-haiku-4-5-20251001', 'budget'],
    ['claude-sonnet-4-6', 'adaptive'],
    ['us.anthropic.claude-opus-4-8-v1:0', 'adaptive'],
    ['claude-fable-5-1', 'adaptive'],
    ['my-own-name', 'adaptive'],
  ])('knows how %s is asked to think: %s', (model, thinking) => {
    expect(claudeTraits(model).thinking).toBe(thinking)
  })

  it('does not read a date as a minor version', () => {
    expect(claudeTraits('claude-sonnet-4-20250514')).toEqual(claudeTraits('claude-sonnet-4-0'))
  })

  it('sends no sampling to new models and no forced tools to those that refuse them', () => {
    expect(claudeTraits('claude-sonnet-4-6').sampling).toBe(true)
    expect(claudeTraits('claude-opus-4-7').sampling).toBe(false)
    expect(claudeTraits('claude-opus-4-8').forcedTools).toBe(true)
    expect(claudeTraits('claude-sonnet-5-5').forcedTools).toBe(false)
    expect(claudeTraits('claude-fable-5').forcedTools).toBe(true)
    expect(claudeTraits('claude-fable-5-1').forcedTools).toBe(false)
    expect(claudeTraits('claude-haiku-5-5').forcedTools).toBe(true)
  })

  it('takes a name that says nothing for a newest model', () => {
    const { sampling, systemMessages, alwaysThinks } = claudeTraits('latest')
    expect({ sampling, systemMessages, alwaysThinks }).toEqual({
      sampling: false,
      systemMessages: true,
      alwaysThinks: true,
    })
  })
})
