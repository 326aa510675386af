"""A page that follows a channel by an EventSource, and a way to break its connection."""

from typing import Any

from nexios import NexiosApp, Request, Response
from nexios.websockets import Channel

app = NexiosApp()

PAGE = """<!doctype html><title>news</title><ol id="got"></ol><p id="opened">0</p><script>
const source = new EventSource("/news");
const add = (text) => got.append(Object.assign(document.createElement("li"), {textContent: text}));
source.onopen = () => { opened.textContent = Number(opened.textContent) + 1; };
source.onmessage = (event) => add(event.data);
source.addEventListener("said", (event) => add(`${event.type}: ${JSON.parse(event.data).text}`));
</script>"""


@app.get("/")
async def page(request: Request, response: Response) -> Response:
    return response.html(PAGE)


@app.get("/news")
async def news(request: Request, response: Response) -> Response:
    return Channel("news").sse(request, retry=200)


@app.post("/drop-and-say")
async def drop_and_say(request: Request, response: Response) -> Any:
    """Let every reader be away for a moment, and publish meanwhile."""
    readers = tuple(app.engine.streams)
    for reader in readers:
        reader.end()
    await Channel("news", app.hub).publish(await request.text())
    return len(readers)


@app.post("/say")
async def say(request: Request, response: Response) -> Any:
    return await Channel("news", app.hub).publish({"text": await request.text()}, event="said")
