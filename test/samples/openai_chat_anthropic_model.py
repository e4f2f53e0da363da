from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8787/v1", api_key="sb_...")

completion = client.chat.completions.create(
    model="anthropic/claude-sonnet-4.5",
    messages=[{"role": "user", "content": "What is the meaning of life?"}],
)
print(completion.choices[0].message.content)
