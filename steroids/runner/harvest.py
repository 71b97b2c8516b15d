"""What an agent has done, brought together in one commit, in whatever state it left things."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from steroids.runner.leavings import changed_in, commit_all, restore_unseen, with_markers
from steroids.runner.settling import settle
from steroids.runner.state import State, hidden, named, shown_paths, state_of
from steroids.runner.workspace import Workspace
from steroids.wire.assignment import Author, Leftovers

_UNSOLVED = "Steroids-Unsolved: yes"
"""In the message of a commit that was made by a stop, in the middle of a merge."""


class Harvest(NamedTuple):
    tip: str
    """All that is to be handed over."""
    own: str
    """The same without what the runner itself has committed."""
    problem: str | None = None
    """Why it cannot count as done."""


class Before(NamedTuple):
    """What there was before the agent came."""

    refs: Mapping[str, str] = {}
    """Branches and their commits."""
    left: Collection[str] = ()
    """What is not committed: a set-up may have made it."""

    @classmethod
    def look(cls, workspace: Workspace) -> "Before":
        """Raises `Broken`."""
        return cls(workspace.refs(), frozenset(state_of(workspace).left))


class Gathering(NamedTuple):
    """One run's end. `rule` is the user's for what is not committed; `stopped`: the agent was not
    at its end, and goes on from what is kept."""

    workspace: Workspace
    start: str
    title: str
    author: Author
    rule: Leftovers
    before: Before
    stopped: bool
    say: Callable[[str], None]

    def gather(self) -> Harvest:
        """Raises `Broken`."""
        problem = settle(self.workspace, self.start, self.say)
        state = state_of(self.workspace)
        unsolved = self._unsolved(state)
        if unsolved and not self.stopped:
            told = f"conflict markers were left in {', '.join(shown_paths(unsolved))}"
            return self._end(told)
        if state.left:
            # Its workspace is going away, and its next run goes on from here.
            rule = Leftovers.COMMIT if self.stopped else self.rule
            problem = _both(problem, self._leftovers(state, rule, unsolved))
        self._tell_hidden()
        restored = restore_unseen(self.workspace, self.start, self.author)
        if restored:
            self.say(f"it deleted what was never there: {restored} files are put back")
        return self._end(problem, None if restored else state.head)

    def _leftovers(self, state: State, rule: Leftovers, unsolved: Sequence[str]) -> str | None:
        """What stands against counting it as done."""
        if rule is Leftovers.DISCARD:
            self.say(f"left out what was not committed, {named(state.left)}")
            return None
        if rule is Leftovers.FAIL:
            its = [path for path in state.left if path not in self.before.left]
            return f"it left changes uncommitted, {named(its)}" if its else None
        nested = state.nested
        files = [path for path in state.left if path not in set(nested)]
        if files:
            self.say(f"committing what was left uncommitted, {named(files)}")
            message = f"{self.title}\n\n{_UNSOLVED}" if unsolved else self.title
            commit_all(self.workspace, message, self.author, without=nested)
        after = state_of(self.workspace).left
        unable = [path for path in after if path not in set(nested)]
        told = None
        if unable:
            told = f"git cannot commit what it left, {named(unable)}"
            self.say(told)
        if nested:
            first = shown_paths(nested)[0].rstrip("/")
            told = _both(
                told,
                f"{first} is a git repository of its own, whose files would be in no commit: "
                f"remove {first}/.git",
            )
        return told

    def _unsolved(self, state: State) -> list[str]:
        """Files with conflict markers that a merge has left and nobody has solved."""
        paths = list(state.unmerged)
        if _UNSOLVED in self.workspace.git("log", "-1", "--format=%B", self.start).out:
            paths += changed_in(self.workspace, self.start)
        return with_markers(self.workspace, paths) if paths else []

    def _tell_hidden(self) -> None:
        """Files that it has told git not to look at are as good as ignored."""
        path = self.workspace.path
        found = [
            name
            for how, name in hidden(self.workspace)
            # What is not checked out at all was not changed.
            if how != "S" or os.path.lexists(path / name)
        ]
        if found:
            self.say(f"left out what git was told not to look at, {named(found)}")

    def _end(self, problem: str | None, own: str | None = None) -> Harvest:
        """With a look at what it has committed elsewhere."""
        tip = self.workspace.head()
        strays = {
            ref: commit
            for ref, commit in self.workspace.refs().items()
            if commit not in (tip, self.start, *self.before.refs.values())
            and not self.workspace.is_ancestor(commit, tip)
        }
        if not strays:
            return Harvest(tip, own or tip, problem)
        names = ", ".join(shown_paths(ref.removeprefix("refs/heads/") for ref in strays))
        built = [ref for ref in strays if self.workspace.is_ancestor(self.start, strays[ref])]
        branches = [ref for ref in built if ref.startswith("refs/heads/")]
        if tip == self.start and len(branches) == 1:
            self.say(f"nothing is on the branch it ended on: taking over what is on {names}")
            tip = strays[branches[0]]
            return Harvest(tip, tip, problem)
        self.say(f"not handed over, since it ended elsewhere: what is on {names}")
        if tip == self.start:
            elsewhere = f"it ended on a branch without any of its work, which is on {names}"
            problem = _both(problem, elsewhere)
        return Harvest(tip, own or tip, problem)


def _both(one: str | None, other: str | None) -> str | None:
    return "\n".join(each for each in (one, other) if each) or None
