"""Rows that need settings other than the defaults; the rows of a group run with the same."""

from dataclasses import dataclass, field
from typing import Any

from tests.support.table import Row


@dataclass(frozen=True)
class Group:
    section: str
    rows: tuple[Row, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def exits(self) -> int:
        """Of `up`: whether each came to its end."""
        return 0 if all(row.way.endswith("c") for row in self.rows) else 1


STRICT = Group(
    "Strict",
    (
        Row(
            "outside is sent back",
            "once && { echo x > root-strict.txt; commit Out; exit 0; }\n"
            "git rm -q root-strict.txt; put a; commit Back",
            way="pipirac",
            attempts="rejected approved",
            landed=["Out", "Back"],
            commits=["1 rejected Out", "2 approved Back"],
            files={"a": "x\n"},
            says="1 file (root-strict.txt) outside its section",
        ),
        Row(
            "leftovers are sent back",
            "put $STEROIDS_ATTEMPT; once || commit Good",
            way="pipirac",
            attempts="rejected approved",
            landed=["Good"],
            commits=["2 approved Good"],
            files={"1": None, "2": "x\n"},
            says="uncommitted",
        ),
        Row(
            "a huge file",
            "once && { put a; head -c 90000 /dev/urandom > $here/huge; commit Huge; exit 0; }\n"
            "put a; commit Small",
            way="pipirac",
            attempts="rejected approved",
            landed=["Small"],
            commits=["2 approved Small"],
            files={"a": "x\n", "huge": None},
            says="larger than 0.1 MB",
        ),
        Row("all in order", "put a; commit Good", landed=["Good"]),
    ),
    {"out_of_section": "reject", "leftovers": "fail", "max_bundle_bytes": 1 << 16},
)
DISCARDING = Group(
    "Discarding",
    (
        Row(
            "leftovers are thrown away",
            "put a; commit Good; put b; put a more",
            landed=["Good"],
            files={"a": "x\n", "b": None},
        ),
        Row("nothing but leftovers", "put a", files={"a": None}),
    ),
    {"leftovers": "discard"},
)
SQUASHING = Group(
    "Squashing",
    (
        Row(
            "two commits made one",
            "put a; commit One; put b; commit Two",
            landed=["two commits made one"],
            commits=["1 approved One", "1 approved Two"],
            files={"a": "x\n", "b": "x\n"},
        ),
        Row("none made none", "true"),
    ),
    {"landing": {"merge": "squash"}},
)
MERGING = Group(
    "Merging",
    (
        Row(
            "merged",
            "put a; commit One; put b; commit Two",
            landed=["Merge task: merged"],
            merged=True,
            commits=["1 approved One", "1 approved Two"],
            files={"a": "x\n", "b": "x\n"},
        ),
    ),
    {"landing": {"merge": "merge"}},
)
REVIEWER = """\
tries=$(git log --format=%s -- apps/reviewed | grep -c Try) || true
case $(git log -1 --format=%s) in
*once) [ $tries -gt 1 ] && say=approve || say=reject ;;
*dispute) say=dispute ;;
*) say=approve ;;
esac
printf '{"decision": "%s", "reasons": ["said %s"]}' $say $say > "$STEROIDS_VERDICT"
"""
REVIEWED = Group(
    "Reviewed",
    (
        Row(
            "rejected by its reviewer once",
            'put $STEROIDS_ATTEMPT; commit "Try $STEROIDS_ATTEMPT once"',
            way="pirpirac",
            attempts="rejected approved",
            landed=["Try 1 once", "Try 2 once"],
            commits=["1 rejected Try 1 once", "2 approved Try 2 once"],
            says="said reject",
        ),
        Row(
            "disputed by its reviewer",
            "put a; commit dispute",
            way="pird",
            attempts="disputed",
            commits=["1 pending dispute"],
            says="said dispute",
        ),
        Row("approved by its reviewer", "put a; commit Good", landed=["Good"]),
    ),
    {
        "agents": {"critic": {"use": "script", "run": REVIEWER}},
        "review": {"reviewer": "critic"},
    },
)
GROUPS = (STRICT, DISCARDING, SQUASHING, MERGING, REVIEWED)
