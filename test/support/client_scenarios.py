"""Runs the scenarios with the official Python clients and prints what they made of each as JSON.

Usage: client_scenarios.py URL KEY
"""

import json
import logging
import sys

import anthropic
import openai
from google import genai

url, key = sys.argv[1], sys.argv[2]
logging.disable(logging.WARNING)
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
REPORT = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "number"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


def user(content):
    return [{"role": "user", "content": content}]


def dump(value):
    if isinstance(value, list):
        return [dump(each) for each in value]
    return value.model_dump(mode="json")


def caught(call):
    try:
        return {"answered": dump(call())}
    except (openai.APIStatusError, anthropic.APIStatusError) as error:
        return {"name": type(error).__name__, "status": error.status_code, "body": error.body}
    except genai.errors.APIError as error:
        return {"name": type(error).__name__, "status": error.code, "message": error.message}


def run_openai():
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
    model = "gpt-4.1"
    create = client.chat.completions.create
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
    question = user("What is the weather in York?")
    called = create(model=model, messages=question, tools=tools)
    message = called.choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "rain"}
    image = [
        {"type": "text", "text": "What is in this picture?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
    ]
    output = {"type": "json_schema", "json_schema": {"name": "report", "strict": True, "schema": REPORT}}
    return {
        "plain": dump(create(model=model, messages=user("Hello"))),
        "stream": dump(list(create(model=model, messages=user("Hello"), stream=True))),
        "called": dump(called),
        "toolLoop": dump(create(model=model, messages=[*question, message, result], tools=tools)),
        "output": dump(create(model=model, messages=user("Give me the report"), response_format=output)),
        "image": dump(create(model=model, messages=user(image))),
        "thinking": dump(create(model=model, messages=user("Think about it"))),
        "embeddings": dump(client.embeddings.create(model="text-embedding-3-small", input="a")),
        "responses": dump(client.responses.create(model=model, input="Hello")),
        "responsesStream": dump(list(client.responses.create(model=model, input="Hello", stream=True))),
        "error": caught(lambda: create(model=model, messages=user("Please fail"))),
    }


def run_anthropic():
    client = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0)
    head = {"model": "claude-opus-4-8", "max_tokens": 4000}
    create = client.messages.create
    tools = [{"name": "get_weather", "input_schema": SCHEMA}]
    question = user("What is the weather in York?")
    called = create(**head, messages=question, tools=tools)
    use = next(block for block in called.content if block.type == "tool_use")
    result = [{"type": "tool_result", "tool_use_id": use.id, "content": "rain"}]
    loop = [*question, {"role": "assistant", "content": called.content}, {"role": "user", "content": result}]
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    image = [{"type": "image", "source": source}, {"type": "text", "text": "What is in this picture?"}]
    thinking = {"type": "enabled", "budget_tokens": 1024}
    return {
        "plain": dump(create(**head, messages=user("Hello"))),
        "stream": dump(list(create(**head, messages=user("Hello"), stream=True))),
        "called": dump(called),
        "toolLoop": dump(create(**head, messages=loop, tools=tools)),
        "image": dump(create(**head, messages=user(image))),
        "thinking": dump(create(**head, messages=user("Think about it"), thinking=thinking)),
        "error": caught(lambda: create(**head, messages=user("Please fail"))),
    }


def run_google():
    # The simulator knows this version alone.
    client = genai.Client(api_key=key, http_options={"base_url": url, "api_version": "v1beta"})
    model = "gemini-2.5-flash"
    create = client.models.generate_content
    declaration = {"name": "get_weather", "parameters_json_schema": SCHEMA}
    config = {"tools": [{"function_declarations": [declaration]}]}
    output = {"response_mime_type": "application/json", "response_json_schema": REPORT}
    question = {"role": "user", "parts": [{"text": "What is the weather in York?"}]}
    called = create(model=model, contents=[question], config=config)
    result = {"function_response": {"name": "get_weather", "response": {"output": "rain"}}}
    loop = [question, called.candidates[0].content, {"role": "user", "parts": [result]}]
    image = {"inline_data": {"mime_type": "image/png", "data": PIXEL}}
    picture = [{"role": "user", "parts": [{"text": "What is in this picture?"}, image]}]
    thinking = {"thinking_config": {"include_thoughts": True, "thinking_budget": 1024}}
    return {
        "plain": dump(create(model=model, contents="Hello")),
        "stream": dump(list(client.models.generate_content_stream(model=model, contents="Hello"))),
        "called": dump(called),
        "toolLoop": dump(create(model=model, contents=loop, config=config)),
        "output": dump(create(model=model, contents="Give me the report", config=output)),
        "image": dump(create(model=model, contents=picture)),
        "thinking": dump(create(model=model, contents="Think about it", config=thinking)),
        "error": caught(lambda: create(model=model, contents="Please fail")),
    }


print(json.dumps({"openai": run_openai(), "anthropic": run_anthropic(), "google-genai": run_google()}))
