"""Which codec does a `charset` parameter name? One of a fixed table, never any codec that Python has.

Python also knows codecs that take quadratic time (punycode) or are no encoding of text, and
it remembers every unknown name it was ever asked for. So it is not asked: the names here
are those of the WHATWG Encoding Standard, section 4.2, as far as people still send them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["codec_of"]

_CODECS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("utf-8", "utf8"), "utf-8"),
        **dict.fromkeys(("us-ascii", "ascii"), "ascii"),
        **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1"), "latin-1"),
        **{f"iso-8859-{part}": f"iso8859-{part}" for part in (*range(2, 12), *range(13, 17))},
        **{f"windows-{page}": f"cp{page}" for page in (874, *range(1250, 1259))},
        **{name: name for name in ("utf-16", "utf-16le", "utf-16be", "koi8-r", "koi8-u", "gb18030", "big5")},
        **dict.fromkeys(("gbk", "gb2312"), "gbk"),
        **dict.fromkeys(("shift_jis", "shift-jis", "windows-31j"), "cp932"),
        "euc-jp": "euc_jp",
        "iso-2022-jp": "iso2022_jp",
        "euc-kr": "cp949",
    }
)


def codec_of(charset: str) -> str | None:
    """Return the codec of a charset, named in any case, or None when it is none that we read.

    >>> codec_of("Windows-1252"), codec_of("punycode")
    ('cp1252', None)
    """
    return _CODECS.get(charset.lower())
