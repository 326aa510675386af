"""Routing: routers, path templates, converters, and the matcher they are compiled to."""

from nexios.routing.converters import Converter
from nexios.routing.flatten import Flattened, flatten
from nexios.routing.matcher import Matcher
from nexios.routing.registry import ConverterRegistry, FunctionConverter, register_path_converter
from nexios.routing.reverse import ReverseIndex, reverse
from nexios.routing.route import NOT_GIVEN, MiddlewareEntry, Mount, Route, WebSocketRoute
from nexios.routing.router import Router
from nexios.routing.shadow import Shadow, shadowed
from nexios.routing.template import Template, compile_template

__all__ = [
    "NOT_GIVEN",
    "Converter",
    "ConverterRegistry",
    "Flattened",
    "FunctionConverter",
    "Matcher",
    "MiddlewareEntry",
    "Mount",
    "ReverseIndex",
    "Route",
    "Router",
    "Shadow",
    "Template",
    "WebSocketRoute",
    "compile_template",
    "flatten",
    "register_path_converter",
    "reverse",
    "shadowed",
]
