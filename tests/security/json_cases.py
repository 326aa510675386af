"""What is JSON and what is not, in small documents (RFC 8259): the kinds of case that parsers are known to differ in.

`VALID` are documents with their value, `INVALID` are none, and `OPEN` are those that the RFC leaves to
the reader: each may be a value or a clean refusal.
"""

from typing import Final

__all__ = ["INVALID", "OPEN", "VALID"]

VALID: Final[list[tuple[bytes, object]]] = [
    (b"[]", []),
    (b"[ ]", []),
    (b" \t\r\n[]\n", []),
    (b"{}", {}),
    (b'{"":0}', {"": 0}),
    (b'{"a":{}}', {"a": {}}),
    (b'{"a":1,"b":2}', {"a": 1, "b": 2}),
    (b'{"a":1,"a":2}', {"a": 2}),
    (b'{"a":1,"a":1}', {"a": 1}),
    (b'{"a" : [ ] }', {"a": []}),
    (b'{"\\u0061":1}', {"a": 1}),
    (b'{"a\\u0000b":1}', {"a\0b": 1}),
    (b"null", None),
    (b"true", True),
    (b"false", False),
    (b" null ", None),
    (b"[null,true,false]", [None, True, False]),
    (b"0", 0),
    (b"-0", 0),
    (b"-1", -1),
    (b"123", 123),
    (b"[20e1]", [200.0]),
    (b"[0e1]", [0.0]),
    (b"[0E+1]", [0.0]),
    (b"[1E22]", [1e22]),
    (b"[1e-2]", [0.01]),
    (b"[1E+2]", [100.0]),
    (b"[-0.0]", [-0.0]),
    (b"[123.456e78]", [123.456e78]),
    (b"[-0.000000000000000000000000000000000000000000000000000001]", [-1e-54]),
    (b"[9007199254740993]", [9007199254740993]),
    (b"[18446744073709551616]", [18446744073709551616]),
    (b"[-9223372036854775809]", [-9223372036854775809]),
    (b'""', ""),
    (b'" "', " "),
    (b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'),
    (b'"\\u0000"', "\0"),
    (b'"\\u00e9"', "é"),
    (b'"\\u00E9"', "é"),
    (b'"\\ud83c\\udf89"', "🎉"),
    (b'"\\uD83C\\uDF89"', "🎉"),
    (b'"\\u2028\\u2029"', "\u2028\u2029"),
    (b'"\\uFFFF"', "\uffff"),
    (b'"\\\\u0061"', "\\u0061"),
    ('"é🎉"'.encode(), "é🎉"),
    ('"\u2028"'.encode(), "\u2028"),
    (b'"\x7f"', "\x7f"),
    ('"\ufeff"'.encode(), "\ufeff"),
    ('"\U0010ffff"'.encode(), "\U0010ffff"),
    (b'"/* no comment */"', "/* no comment */"),
    (b'["[[[["]', ["[[[["]),
    (b"[1\n,2]", [1, 2]),
]

INVALID: Final[list[bytes]] = [
    # nothing, and more than one thing
    b"", b" ", b"\n", b"[] []", b"[][]", b"{}{}", b"1 2", b"nullnull", b"[]x", b'""x', b"[1],", b"{},", b",", b":",
    b"[1]]", b"{}}", b"1]", b'{"a":1}}', b"\x00", b"[]\x00", b"\x00[]",
    # arrays
    b"[", b"]", b"[1", b"[1,", b"[,", b"[,1]", b"[1,]", b"[1,,]", b"[1,,2]", b"[1 2]", b"[1 true]", b"[1:2]", b'["a"',
    b'["a",', b"[1}", b"[[]", b"[][", b"[\x0b]", b"[\x0c]", b"[\xa0]", "[\u2060]".encode(), b"[*]", b'["": 1]',
    b"[1,\n2",
    # objects
    b"{", b"}", b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{"a":1,,"b":2}', b'{"a",1}', b'{"a" 1}',
    b'{"a"::1}', b'{"a"=1}', b'{"a"}', b"{:1}", b"{,}", b"{1:1}", b"{null:1}", b"{a:1}", b"{'a':1}", b'{a:"b"}',
    b'{"a":1 "b":2}', b'{"a":"b"]', b'{[]:1}', b'{"a":/*c*/1}', b'{"a":1//c\n}', b'{"a":1#c\n}', b'{"a":"b",}',
    b'{"a" b}',
    # words
    b"True", b"NULL", b"nul", b"tru", b"fals", b"truee", b"undefined", b"None", b"nil", b"n", b"t", b"[nul]",
    b"[truth]",
    # numbers
    b"NaN", b"[NaN]", b"[-NaN]", b"Infinity", b"[Infinity]", b"[-Infinity]", b"[+Inf]", b"inf", b"[nan]", b"+1",
    b"[+1]",
    b"01", b"[-01]", b"[00]", b"[-012]", b"[012]", b"[.5]", b"[-.5]", b"[1.]", b"[-1.]", b"[1.e1]", b"[0.e1]", b"[1e]",
    b"[1e+]", b"[1E-]", b"[1eE2]", b"[e1]", b"[1.2.3]", b"[1.5e]", b"[--1]", b"[-]", b"-", b"[- 1]", b"[-a]", b"[0x1]",
    b"[0x]", b"[0b1]", b"[0o7]", b"[1_000]", b"[1 000]", b"[1,000.5e]", b"[1a]", b"[1\x00]", b"[0.1a]", b"[1+2]",
    b"[0e]",
    "[\uff11]".encode(), "[\u0661]".encode(), b"[1f]", b"[1L]", b"[1n]", b"[0.3e+]", b"[2.e3]", b"[2.e+3]", b"[2.e-3]",
    # strings
    b'"', b'"a', b"'a'", b"a", b'["a]', b'"\\"', b'"\\', b'"\\x00"', b'"\\a"', b'"\\0"', b'"\\\'"', b'"\\ "', b'"\\u"',
    b'"\\u0"', b'"\\u00"', b'"\\u00e"', b'"\\u00g0"', b'"\\u+061"', b'"\\u 061"', b'"\\U0061"', b'"\\u{61}"',
    b'"\\\xc3\xa9"',
    b'"\n"', b'"\r"', b'"\t"', b'"\x00"', b'"\x1f"', b'"\x08"', b'["\\uD800\\"]', b'["\\uD834\\uDd"]',
    b'["\\uD800\\u1x"]', b"\\u0061",
    b'"a" "b"', b'"\\ud83c\\"', b'"\\uD8', b'"\\uD800\\', b"`a`", b'"a\nb"', b'["\\n', b'"\\N{DASH}"', b'"\\\r\n"',
    b'\\"a"',
    # other languages
    b"<null>", b"a: 1", b"/* */ []", b"[] // c", b"# c\n[]", b"[]#", b")]}',\n[]", b"(1)", b"callback([])", b"$",
    b"&", b"@", b"=",
]  # fmt: skip

_FF: Final = "\ufeff"

OPEN: Final[list[bytes]] = [
    # numbers that Python has no float or no ordinary int for
    b"[1e400]", b"[-1e400]", b"[1e-400]", b"[123e-10000000]", b"[0.4e00669999999999999999999999999999]",
    b"1e99999999999",
    b"[123123e100000]", b"[-123123123123123123123123123123]", b"[100000000000000000000]",
    b"[-237462374673276894279832749832]",
    b"9" * 400, b"9" * 4301, b"-" + b"9" * 5000, b"0." + b"9" * 5000, b"1" + b"0" * 4300 + b".0",
    # text that is no Unicode, or not UTF-8
    b'"\\ud800"', b'"\\udc00"', b'"\\udfff\\ud800"', b'"\\uD888\\u1234"', b'"\\uD800\\n"', b'"\\uDd1ea"',
    b'"\\ud800abc"',
    b'"\\uD800\\uD800\\n"', b'"\xff"', b'"\xe9"', b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\xf4\xbf\xbf\xbf"',
    b'"\xfc\x83\xbf\xbf\xbf\xbf"',
    b'"\xe0\xff"', b'"\x81"', b'"\xe6\x97\xa5\xd1\x88\xfa"', b'{"\xb9":"0"}',
    # byte order marks and other encodings
    _FF.encode() + b"{}", _FF.encode(), "[]".encode("utf-16"), "[]".encode("utf-16-be"), "[]".encode("utf-32"),
    # depth, and names that are the same
    b"[" * 500 + b"]" * 500, b'{"a":' * 500 + b"1" + b"}" * 500, b'{"a":1,"\\u0061":2}', b'{"__proto__":1}',
]  # fmt: skip
