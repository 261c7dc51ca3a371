"""The one reader of YAML that others write: plain values, no tags, within bounds."""

import re
from pathlib import Path
from typing import Any

import yaml

from tandem.errors import TandemError

LARGEST = 10**6  # characters of a file
MOST = 10**5  # values in it once its aliases (*name) are written out
DEEPEST = 50  # lists and mappings inside one another, aliases written out
LONGEST = 40  # characters of a number
_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.CSafeLoader):
    """Dates and a lone = stay text; a key written twice is refused, not overridden in silence."""

    yaml_implicit_resolvers = {
        first: [r for r in resolvers if not r[0].endswith((":timestamp", ":value"))]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _line(node) -> str:
    return f"line {node.start_mark.line + 1}"


def _mapping(loader, node, deep=False):
    seen = set()
    for key_node, _ in node.value:
        if key_node.tag == _MERGE:  # <<: *name
            continue
        if isinstance(key_node, yaml.CollectionNode):
            raise TandemError(f"{_line(key_node)}: a key is one word, not a list")
        text = key_node.value
        if node.flow_style and not key_node.style and _closes_more(text):
            raise TandemError(
                f"{_line(key_node)}: '{text[:40]}' stands where a key should: put a formula or "
                'text with a comma in quotes, as in {formula: "lag(gdp, 2)"}'
            )
        key = loader.construct_object(key_node)
        if key in seen:
            raise TandemError(f"{_line(key_node)}: the key '{text[:40]}' stands twice")
        seen.add(key)
    loader.flatten_mapping(node)  # merged keys come first, so that the mapping's own override them
    return {
        loader.construct_object(k): loader.construct_object(v, deep=True) for k, v in node.value
    }


def _closes_more(text: str) -> bool:
    return len(re.findall("[)）]", text)) > len(re.findall("[(（]", text))


def _number(read):
    def construct(loader, node):
        try:
            if len(node.value) <= LONGEST:
                return read(loader, node)
        except ValueError:  # 0x_
            pass
        raise TandemError(f"{_line(node)}: '{node.value[:40]}' is no number that can be read")

    return construct


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:int", _number(_Loader.construct_yaml_int))
_Loader.add_constructor("tag:yaml.org,2002:float", _number(_Loader.construct_yaml_float))


def _check(text: str) -> None:
    """Refuse what would fill the memory or the stack, event by event, before anything is built."""
    open_ = [[0, 0, None]]  # values, depth and anchor of each collection not yet closed
    named: dict[str, tuple[int, int] | None] = {}  # those of each anchor; None while it is open
    for event in yaml.parse(text, Loader=_Loader):
        if getattr(event, "tag", None) is not None:
            raise TandemError(
                f"{_line(event)}: the tag {event.tag[:40]} stands before a value; take it out, "
                "plain values are all that is read"
            )
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append([1, 1, anchor])
            if anchor:
                named[anchor] = None
            values, depth = 0, 0
        elif isinstance(event, yaml.CollectionEndEvent):
            values, depth, anchor = open_.pop()
            if anchor:
                named[anchor] = values, depth
        elif isinstance(event, yaml.AliasEvent):
            if named.get(anchor, (1, 0)) is None:
                raise TandemError(f"{_line(event)}: *{anchor[:40]} stands for what holds it")
            values, depth = named.get(anchor, (1, 0))
        elif isinstance(event, yaml.ScalarEvent):
            values, depth = 1, 0
            if anchor:
                named[anchor] = 1, 0
        else:
            continue
        open_[-1][0] += values
        open_[-1][1] = max(open_[-1][1], depth + 1)
        if len(open_) + open_[-1][1] > DEEPEST + 2:
            raise TandemError(
                f"{_line(event)}: more than {DEEPEST} lists and mappings stand inside one another"
            )
        if open_[-1][0] > MOST:
            raise TandemError(
                f"{_line(event)}: it holds more than {MOST:,} values, those that aliases (*name) "
                "stand for included"
            )


def read_yaml(path: Path, name: str) -> Any:
    """Content of a YAML file: mappings, lists, texts, numbers, true, false and null.

    Parameters
    ----------
    path : Path
        UTF-8.
    name : str
        What errors call it.

    Raises
    ------
    TandemError
        One sentence with file and line: no YAML, a key written twice, a tag (!!int), a formula cut
        at its comma, too large or too deeply nested.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if len(text) > LARGEST:
            raise TandemError(f"it has more than {LARGEST:,} characters")
        _check(text)
        return yaml.load(text, Loader=_Loader)
    except TandemError as err:
        raise TandemError(f"{name} cannot be read: {err}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        reason = " ".join(str(err).split())
        raise TandemError(f"{name} is not readable YAML in UTF-8: {reason}.") from None
