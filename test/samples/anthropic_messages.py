import anthropic

client = anthropic.Anthropic(base_url="http://127.0.0.1:8787/anthropic", api_key="sb_...")

message = client.messages.create(
    model="anthropic/claude-sonnet-4.5",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello, Claude"}],
)
print(message.content[0].text)
