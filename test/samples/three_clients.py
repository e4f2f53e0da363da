from anthropic import Anthropic
from google import genai
from openai import OpenAI

api_key = "sb_..."
gateway = "http://127.0.0.1:8787"
openai = OpenAI(api_key=api_key, base_url=f"{gateway}/v1")
anthropic = Anthropic(api_key=api_key, base_url=f"{gateway}/anthropic")
google = genai.Client(api_key=api_key, http_options={"base_url": f"{gateway}/gemini"})

response = openai.responses.create(model="openai/gpt-5.2", input="Hello")
print(response.output_text)

message = anthropic.messages.create(
    model="anthropic/claude-sonnet-4.5",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello"}],
)
print(message.content[0].text)

answer = google.models.generate_content(model="google/gemini-2.5-flash", contents="Hello")
print(answer.text)
