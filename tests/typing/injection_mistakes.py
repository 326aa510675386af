"""What does a type checker tell whoever declares inputs wrongly? Marks as in `user_mistakes.py`."""

from dataclasses import dataclass

from nexios import Body, Depend, File, NexiosApp, Path, Query, Request, Response
from nexios.openapi import OpenAPI
from nexios.testing import TestClient


@dataclass
class Item:
    """A model."""

    name: str


def get_item() -> Item:
    return Item("one")


app = NexiosApp(openapi=OpenAPI(name="Shop"))  # type: ignore[call-arg]
app.provide(Item, 7)  # type: ignore[call-overload]
app.provide(Item, get_item, scope="session")  # type: ignore[call-overload]
app.dependency_overrides[get_item] = "another"  # type: ignore[assignment]

number = Depend(7)  # type: ignore[arg-type]
session = Depend(get_item, scope="session")  # type: ignore[arg-type]
cached = Depend(get_item, cached=True)  # type: ignore[call-arg]
limited = Depend(get_item, limit="2")  # type: ignore[arg-type]

least = Query(10, ge="1")  # type: ignore[arg-type]
minimum = Query(10, minimum=1)  # type: ignore[call-arg]
alias = Path(alias=1)  # type: ignore[arg-type]
embedded = Body(embed="yes")  # type: ignore[arg-type]
size = File(max_size="1 MB")  # type: ignore[arg-type]


@app.get("/", status_code="201")  # type: ignore[arg-type]
async def index(request: Request, response: Response, item: Item = Depend(get_item)) -> Item:
    item.nmae = "two"  # type: ignore[attr-defined]
    return item.name  # type: ignore[return-value]


@app.get("/made", response_class=Response)  # type: ignore[call-arg]
async def made(q: int = Query()) -> str:
    return q  # type: ignore[return-value]


async def visit() -> None:
    document: str = app.openapi()  # type: ignore[assignment]
    await app.inject()  # type: ignore[call-overload]
    with app.override({get_item: document}):  # type: ignore[dict-item]
        app.openapi(7)  # type: ignore[arg-type]
    with TestClient(app, overrides=[get_item]) as client:  # type: ignore[arg-type]
        client.get("/")
