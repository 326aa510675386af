"""Path templates: segments, parameters, shapes, and the words for what is malformed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios import NexiosApp
from nexios.errors import ConfigurationError
from nexios.places import Place
from nexios.routing import compile_template
from nexios.routing.template import Placeholder, check_prefix, parse_segments, shape_of


def test_a_template_has_segments_and_parameters_in_order() -> None:
    template = compile_template("/shop/{year:int}-{month:int}.html/{rest:path}")

    assert template.parameters == ("year", "month", "rest")
    assert template.segments == (
        ("shop",),
        (Placeholder("year", "int"), "-", Placeholder("month", "int"), ".html"),
        (Placeholder("rest", "path"),),
    )


def test_the_root_is_one_empty_segment() -> None:
    assert parse_segments("/") == (("",),)


def test_templates_that_differ_in_names_alone_have_one_shape() -> None:
    assert shape_of("/a/{x}/{y:int}") == shape_of("/a/{z:str}/{w:int}") == compile_template("/a/{b}/{c:int}").shape
    assert shape_of("/a/{x:int}") != shape_of("/a/{x}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("items", "must begin with '/': write '/items'"),
        ("", "must begin with '/'"),
        ("/a//b", "has an empty segment"),
        ("//a", "has an empty segment"),
        ("/{a", "has a '{' without its '}'"),
        ("/{a/b}", "has a '{' without its '}'"),
        ("/a}", "has a '}' without its '{'"),
        ("/{{a}}", "write '{name}'"),
        ("/{}", "write '{name}'"),
        ("/{a:}", "write '{name}'"),
        ("/{a b}", "write '{name}'"),
        ("/{ a }", "write '{name}'"),
        ("/{a:int:str}", "write '{name}'"),
        ("/{é}", "write '{name}'"),
        ("/{a}{b}", "needs text between '{a}' and '{b}'"),
        ("/{a}/x/{a:int}", "has the parameter 'a' more than once"),
        ("/a\n", "has a control character"),
        ("/x{rest:path}", "must stand between two '/' alone"),
        ("/users/<int:id>", "has '<int:id>', which is no placeholder here"),
        ("/users/<int:id>", "write '{id:int}'"),
        ("/users/<id>/x", "write '{id}'"),
        ("/<string:name>.html", "write '{name}'"),
        ("/<int(min=1):id>", "write '{id:int}'"),
        ("/files/<path:rest>", "write '{rest:path}'"),
        ("/<a b>", "write '{name}'"),
        ("/users/:id", "has ':id', which is no placeholder here"),
        ("/users/:id", "write '{id}'"),
        ("/:id?", "write '{id}'"),
        ("/flights/:origin-:target", "write '{origin}'"),
        ("/users/{int:id}", "the name comes before the converter, write '{id:int}'"),
    ],
)
def test_a_malformed_template_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        compile_template(text)

    assert words in str(caught.value)


def test_an_error_at_compile_names_the_place_if_it_is_known() -> None:
    with pytest.raises(ConfigurationError, match=r"'itn' is not known(.|\n)*\n\n  app/users.py:12$"):
        compile_template("/{a:itn}", place=Place("app/users.py", 12))


@pytest.mark.parametrize("text", ["/{id}:archive", "/items:batch", "/:", "/:1", "/<>", "/a<b", "/a>b<", "/<{id}>"])
def test_colons_and_angle_brackets_that_no_framework_reads_are_themselves(text: str) -> None:
    assert compile_template(text).text == text


def test_a_placeholder_of_another_framework_is_refused_where_it_is_registered() -> None:
    register = NexiosApp().get("/users/<int:id>")

    with pytest.raises(ConfigurationError, match=r"write '\{id:int\}'(.|\n)*test_path_templates.py:\d+"):
        register(lambda request, response: None)


def test_a_template_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="is a text such as"):
        parse_segments(None)  # type: ignore[arg-type]


@given(st.text("/{}<>:ab-\n é"))
def test_any_text_is_a_template_or_a_configuration_error(text: str) -> None:
    try:
        template = compile_template(text)
    except ConfigurationError:
        return
    assert template.text == text


@pytest.mark.parametrize(
    ("given", "kept"), [("", ""), ("/", ""), ("/api", "/api"), ("/api/", "/api"), ("/{t}/", "/{t}")]
)
def test_a_prefix_has_no_slash_at_its_end(given: str, kept: str) -> None:
    assert check_prefix(given) == kept


def test_a_prefix_without_a_slash_at_its_start_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="write '/api'"):
        check_prefix("api")
