"""An application with an operation for everything that an OpenAPI document of nexios describes.

Handlers give back what they were given, so that an answer is as wild as the request. The tests
beside this file hold the document against it. `python -m tests.openapi_e2e.everything_app` prints it.
"""

import datetime
import json
import sys
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta

from nexios import (
    Body,
    Cookie,
    Depend,
    File,
    Form,
    Header,
    HTTPException,
    NexiosApp,
    Patch,
    Path,
    Query,
    Request,
    Response,
    Router,
    UploadFile,
)
from nexios.openapi import OpenAPI
from tests.openapi_e2e.everything_models import (
    Account,
    Address,
    Cat,
    Colour,
    Dog,
    Filters,
    Folder,
    Item,
    Key,
    Level,
    Money,
    Order,
    Page,
    Parcel,
    Person,
    Preferences,
    Refusal,
    Team,
    Trace,
)

__all__ = ["SECRET", "app", "create_app"]

SECRET = "secret"
Short = Annotated[str, Meta(max_length=20)]


# parameters: path, query, header, cookie

parameters = Router(prefix="/parameters", tags=["parameters"])


@parameters.get("/path/{number:int}/{ratio:float}/{key:uuid}/{day:date}/{word}")
async def path(
    number: Annotated[int, Path(ge=1, le=1000, description="Which one")],
    ratio: float,
    key: UUID,
    day: datetime.date,
    word: Annotated[str, Path(min_length=2, max_length=10, pattern="^[a-z]+$")],
) -> dict[str, object]:
    return {"number": number, "ratio": ratio, "key": key, "day": day, "word": word}


@parameters.get("/typed-path/{level}/{colour}")
async def typed_path(level: Level, colour: Literal["red", "blue"]) -> dict[str, int | str]:
    return {"level": level.value, "colour": colour}


@parameters.get("/rest/{rest:path}")
async def rest(rest: str) -> str:
    return rest


@parameters.get("/query")
async def query(
    text: Annotated[str, Query(min_length=1, max_length=20, examples=["gear"])],
    number: int = Query(ge=-5, le=5),
    ratio: float = 0.5,
    is_new: bool = False,
    price: Decimal | None = None,
    key: UUID | None = None,
    colour: Colour | None = None,
    level: Level = Level.LOW,
    sort: Literal["name", "price"] = "name",
    either: int | bool | None = None,
) -> dict[str, object]:
    return {"text": text, "number": number, "ratio": ratio, "new": is_new, "price": price, "either": either}


@parameters.get("/times")
async def times(
    day: datetime.date | None = None,
    moment: datetime.datetime | None = None,
    hour: datetime.time | None = None,
    length: datetime.timedelta | None = None,
) -> dict[str, bool]:
    return {
        "day": day is not None,
        "moment": moment is not None,
        "hour": hour is not None,
        "length": length is not None,
    }


@parameters.get("/lists")
async def lists(
    numbers: list[int] = Query([], alias="n", max_length=5),
    colours: set[Colour] = Query(set(), alias="colour"),
    words: Annotated[tuple[Short, ...], Query(min_length=1, max_length=3)] = ("one",),
) -> dict[str, object]:
    return {"numbers": numbers, "colours": len(colours), "words": words}


@parameters.get("/whole-query")
async def whole_query(filters: Annotated[Filters, Query()]) -> Filters:
    return filters


@parameters.get("/headers")
async def headers(
    x_number: int = Header(ge=0),
    x_colour: Colour = Header(Colour.RED),
    token: str | None = Header(None, alias="x-long-token", max_length=20),
) -> dict[str, object]:
    return {"number": x_number, "colour": x_colour, "token": token}


@parameters.get("/whole-headers")
async def whole_headers(trace: Annotated[Trace, Header()]) -> Trace:
    return trace


@parameters.get("/cookies")
async def cookies(
    size: int = Cookie(12, ge=8, le=32), theme: Literal["light", "dark"] = Cookie("light")
) -> dict[str, object]:
    return {"size": size, "theme": theme}


@parameters.get("/whole-cookies")
async def whole_cookies(preferences: Annotated[Preferences, Cookie()]) -> Preferences:
    return preferences


# bodies: models of every kind, in JSON and MessagePack

bodies = Router(prefix="/bodies", tags=["bodies"])


@bodies.post("/struct", status_code=201)
async def struct(item: Item, response: Response) -> Item:
    response.set_header("location", "/bodies/struct")
    return item


@bodies.post("/nested")
async def nested(order: Order) -> Order:
    return order


@bodies.post("/renamed")
async def renamed(money: Money) -> Money:
    return money


@bodies.post("/dataclass")
async def of_dataclass(address: Address) -> Address:
    return address


@bodies.post("/typed-dict")
async def typed_dict(person: Person) -> Person:
    return person


@bodies.post("/attrs")
async def of_attrs(parcel: Parcel) -> Parcel:
    return parcel


@bodies.post("/pydantic")
async def of_pydantic(account: Account) -> Account:
    return account


@bodies.post("/pydantic-list")
async def pydantic_list(accounts: list[Account]) -> Page[Account]:
    return Page(accounts, len(accounts))


@bodies.post("/pydantic-inside")
async def pydantic_inside(team: Team) -> Team:
    return team


@bodies.post("/union")
async def union(pet: Cat | Dog) -> Cat | Dog:
    return pet


@bodies.post("/recursive")
async def recursive(folder: Folder) -> Folder:
    return folder


@bodies.post("/list")
async def of_list(items: Annotated[list[Item], Body(max_length=3)]) -> Page[Item]:
    return Page(items, len(items))


@bodies.post("/mapping")
async def mapping(counts: dict[str, int]) -> dict[str, int]:
    return counts


@bodies.post("/optional")
async def optional(item: Item | None = None) -> Item | None:
    return item


@bodies.put("/two")
async def two(item: Item, address: Address, note: Annotated[str, Body(max_length=10)] = "") -> dict[str, object]:
    return {"item": item, "address": address, "note": note}


@bodies.put("/embedded")
async def embedded(count: int = Body(embed=True, ge=0, le=10)) -> int:
    return count


@bodies.put("/text")
async def text(given: Annotated[str, Body(media_type="text/plain")]) -> str:
    return given


@bodies.put("/raw")
async def raw(given: Annotated[bytes, Body(media_type="application/octet-stream")]) -> bytes:
    return given


@bodies.patch("/patch/{item_id:int}", responses={404: Refusal})
async def patch(item_id: int, patch: Patch[Item], response: Response) -> Item:
    return patch.apply(Item(f"item {item_id}", 1.5))


@bodies.query("/search")
async def search(filters: Filters, page: int = Query(1, ge=1)) -> Page[Item]:
    return Page([Item("one", 1.5)], page)


# forms and files

forms = Router(prefix="/forms", tags=["forms"])


@forms.post("/fields")
async def fields(
    name: str = Form(min_length=1, max_length=20),
    age: int | None = Form(None, ge=0),
    colours: list[Colour] = Form([], alias="colour"),
) -> dict[str, object]:
    return {"name": name, "age": age, "colours": colours}


@forms.post("/whole")
async def whole_form(key: Annotated[Key, Form()]) -> Key:
    return key


@forms.post("/file")
async def file(
    photo: UploadFile, title: Annotated[str, Form(min_length=1)], small: bytes = File(b"", max_size=1000)
) -> int:
    return len(await photo.read()) + len(small) + len(title)


@forms.post("/files")
async def files(documents: Annotated[list[UploadFile], File(min_length=1, max_length=3)]) -> list[str | None]:
    return [document.filename for document in documents]


# answers, guards and what a document says besides


def token_of(x_token: Annotated[str, Header(description="Say 'secret'", examples=[SECRET])]) -> str:
    if x_token != SECRET:
        raise HTTPException(403)
    return x_token


async def page_of(page: int = Query(1, ge=1), size: int = Query(20, ge=1, le=100)) -> tuple[int, int]:
    return page, size


answers = Router(prefix="/answers", tags=["answers"])


@answers.get("/guarded", dependencies=[Depend(token_of)], responses={403: "Not with this token"})
async def guarded(page: Annotated[tuple[int, int], Depend(page_of)]) -> dict[str, int]:
    return {"page": page[0], "size": page[1]}


@answers.get(
    "/declared/{number:int}",
    summary="Odd numbers are refused",
    description="Even ones are *not*.",
    operation_id="declared",
    deprecated=True,
    responses={404: {"model": Refusal, "description": "An odd number"}},
)
async def declared(number: int, response: Response) -> Any:
    if number % 2:
        return response.json({"reason": "odd"}, 404)
    return {"number": number}


@answers.get("/modelled", response_model=Address)
async def modelled() -> Any:
    return {"street": "High Street", "secret": "not in the model"}


@answers.get("/status")
async def status() -> tuple[dict[str, bool], int]:
    return {"accepted": True}, 200


@answers.delete("/nothing", status_code=204)
async def nothing() -> None:
    """Nothing is left of it."""


@answers.get("/plain")
async def plain() -> str:
    return "plain"


@answers.get("/by-hand", responses={200: {"content": {"text/csv": str}, "description": "Lines"}})
async def by_hand(request: Request, response: Response) -> Response:
    return response.text("a,b\n").set_header("content-type", "text/csv; charset=utf-8")


@answers.get("/hidden", include_in_schema=False)
async def hidden() -> str:
    return "hidden"


def create_app(version: Literal["3.1", "3.2"] = "3.2") -> NexiosApp:
    """Put everything together; `version` is that of the document."""
    app = NexiosApp(openapi=OpenAPI(title="Everything", version="1.0", openapi_version=version))
    for router in (parameters, bodies, forms, answers):
        app.include_router(router)
    return app


app = create_app()

if __name__ == "__main__":
    print(json.dumps(create_app("3.1" if "3.1" in sys.argv else "3.2").openapi(), indent=2))  # noqa: T201
