"""Tasks written as YAML: a list, or one under `tasks:`. Pure.

Read as nodes and not as values: each knows its line, and nothing is made of tags or of aliases.
"""

import difflib
from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from steroids.services.task_draft import BadSheet, Draft, Drafts, bad, checked_number

KEYS = ("title", "section", "spec", "priority", "affects", "after", "agent")
PRIORITIES = {"high": 10, "medium": 50, "low": 90}
EXAMPLE = "- {title: Remove moment, section: API, spec: ...}"
_NULL = "tag:yaml.org,2002:null"


def read(name: str, text: str) -> Drafts:
    """Raises `BadSheet` with the line of what is wrong."""
    try:
        top = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(filter(None, (error.context, error.problem))) or "not YAML"
        raise bad(name, mark.line + 1 if mark else None, what, EXAMPLE) from None
    except RecursionError:
        raise bad(name, None, "it is nested too deeply", EXAMPLE) from None
    except (YAMLError, ValueError) as error:
        raise bad(name, None, f"not YAML: {error}", EXAMPLE) from None
    return Drafts(checked_number(name, list(_Reader(name).tasks(top))))


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._seen: set[int] = set()

    def tasks(self, top: Node | None) -> Iterator[Draft]:
        if isinstance(top, MappingNode):
            top = self._keys(top, ("tasks",)).get("tasks")
        if top is None:
            raise self._bad(top, "it has no tasks")
        for item in self._items(top, "a list of tasks"):
            yield self._task(item)

    def _task(self, node: Node) -> Draft:
        if not isinstance(node, MappingNode):
            raise self._bad(node, "a task has keys: title, section, spec, ...")
        given = self._keys(node, KEYS)
        if "title" not in given:
            raise self._bad(node, "this task has no title")
        section, spec, agent = (self._text(given.get(key)) for key in ("section", "spec", "agent"))
        return Draft(
            line=_line(node),
            title=self._text(given["title"]) or "",
            spec=spec or "",
            sections=(section,) if section else (),
            priority=self._priority(given.get("priority")),
            affected_paths=self._texts(given.get("affects")),
            after=self._texts(given.get("after")),
            agent=agent,
        )

    def _keys(self, node: MappingNode, known: tuple[str, ...]) -> dict[str, Node]:
        self._refuse_alias(node)
        found: dict[str, Node] = {}
        for key, value in node.value:
            word = self._text(key) or ""
            if word not in known:
                near = difflib.get_close_matches(word, known, n=1, cutoff=0.4)
                raise self._bad(
                    key,
                    f"unknown key '{word[:80]}'",
                    f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}",
                )
            if word in found:
                raise self._bad(key, f"'{word}' is there twice")
            found[word] = value
        return found

    def _items(self, node: Node, what: str) -> list[Node]:
        if not isinstance(node, SequenceNode):
            raise self._bad(node, f"expected {what}")
        self._refuse_alias(node)
        items: list[Node] = node.value
        return items

    def _text(self, node: Node | None) -> str | None:
        """As it is written: `1.10` stays that, and is no number."""
        if node is None or (isinstance(node, ScalarNode) and str(node.tag) == _NULL):
            return None
        if not isinstance(node, ScalarNode):
            raise self._bad(node, "expected text")
        self._refuse_alias(node)
        return str(node.value)

    def _texts(self, node: Node | None) -> tuple[str, ...]:
        """One, or a list."""
        if isinstance(node, SequenceNode):
            found = [self._text(each) for each in self._items(node, "a list")]
            return tuple(each for each in found if each is not None)
        text = self._text(node)
        return () if text is None else (text,)

    def _priority(self, node: Node | None) -> int:
        text = self._text(node)
        if text is None:
            return PRIORITIES["medium"]
        if text in PRIORITIES:
            return PRIORITIES[text]
        if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 100:
            return int(text)
        raise self._bad(node, f"'{text[:80]}' is no priority: 0 to 100, or high, medium, low")

    def _refuse_alias(self, node: Node) -> None:
        """A node that is met again is one that was only referred to."""
        if id(node) in self._seen:
            raise self._bad(node, "aliases (`*name`) are not taken: write it out where it is used")
        self._seen.add(id(node))

    def _bad(self, node: Node | None, what: str, hint: str | None = EXAMPLE) -> BadSheet:
        return bad(self._name, _line(node) if node is not None else None, what, hint)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
