"""What a Textual program costs at least: an input line and the stock streaming markdown. usage: bare.py BASE_URL"""

from __future__ import annotations

import json
import sys

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False) as scroll:
            yield Markdown()
        scroll.anchor()
        yield Input()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.input.clear()
        self.run_worker(self.answer(event.value))

    async def answer(self, question: str) -> None:
        import httpx

        stream = Markdown.get_stream(self.query_one(Markdown))
        body = {"model": "scripted", "messages": [{"role": "user", "content": question}], "stream": True}
        async with (
            httpx.AsyncClient(timeout=None) as client,
            client.stream("POST", f"{sys.argv[1]}/chat/completions", json=body) as response,
        ):
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    for choice in json.loads(line[6:])["choices"]:
                        if piece := choice["delta"].get("content"):
                            await stream.write(piece)
        await stream.stop()


if __name__ == "__main__":
    Bare().run()
