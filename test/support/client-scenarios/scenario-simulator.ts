import { LLMock } from '@copilotkit/aimock'

const usage = {
  prompt_tokens: 12,
  completion_tokens: 7,
  total_tokens: 19,
  input_tokens: 12,
  output_tokens: 7,
}

/** A provider that plays the scenarios in every vendor's format; on 127.0.0.1. */
export async function startScenarioSimulator(): Promise<LLMock> {
  const simulator = new LLMock({ port: 0, chunkSize: 12 })
  const toolCalls = [{ id: 'call_weather_1', name: 'get_weather', arguments: '{"city":"York"}' }]
  const error = { message: 'This will not do.', type: 'invalid_request_error', code: 'bad_thing' }
  simulator.on({ hasToolResult: true }, { content: 'It is raining in York.', usage })
  // Gemini ends a turn of tool calls like any other; the simulator has a word of its own for it.
  simulator.on({ userMessage: /weather/i, model: /gemini/ }, { toolCalls, usage, finishReason: 'stop' })
  simulator.onMessage(/weather/i, { toolCalls, usage })
  simulator.onMessage(/report/i, { content: '{"city":"York","degrees":11}', usage })
  simulator.onMessage(/picture/i, { content: 'One red pixel.', usage })
  simulator.onMessage(/think/i, { content: 'Forty-two.', reasoning: 'Six times seven.', usage })
  simulator.onMessage(/fail/i, { error, status: 400 })
  simulator.onMessage(/.*/, { content: 'All signals are at clear as far as York.', usage })
  simulator.onEmbedding(/.*/, { embedding: [0.25, -0.5, 0.125] })
  await simulator.start()
  return simulator
}
