"""Bringing HEAD to where the agent's work is, when it ended in the middle of something."""

from collections.abc import Callable

from steroids.git.refs import is_hash
from steroids.runner.state import named, state_of
from steroids.runner.workspace import BRANCH, Workspace

Say = Callable[[str], None]
_BRANCH_REF = f"refs/heads/{BRANCH}"


def settle(workspace: Workspace, start: str, say: Say) -> str | None:
    """Afterwards HEAD is a commit, and no older one than the agent has on its branch.

    Returns why what it left cannot count as finished, if that is so. Raises `Broken`.
    """
    workspace.unlock()
    workspace.look_at_all()
    problem = _end_rebase(workspace, say)
    state = state_of(workspace)
    own = _resolve(workspace, _BRANCH_REF)
    if state.head is None:
        # Whatever it has staged or left lying goes on top of what there was.
        workspace.git("update-ref", _BRANCH_REF, own or start)
        workspace.git("symbolic-ref", "HEAD", _BRANCH_REF)
        say("it ended on a branch without a commit: its files are taken for changes to the last")
        return problem
    behind = own and own != state.head and workspace.is_ancestor(state.head, own)
    if behind and state.branch != BRANCH:
        problem = _go_forward(workspace, state.head, say) or problem
    return problem


def _end_rebase(workspace: Workspace, say: Say) -> str | None:
    """A rebase that is under way has only some of the commits; all of them are where it began."""
    before = workspace.in_git_dir(
        "cat rebase-merge/orig-head rebase-apply/orig-head 2>/dev/null; true"
    ).out
    if not is_hash(before):
        return None
    left = state_of(workspace).left
    if not workspace.git("rebase", "--abort", check=False).ok:
        workspace.git("rebase", "--quit", check=False)
        workspace.git("checkout", "-q", "-f", "--ignore-other-worktrees", "-B", BRANCH, before)
    still = set(state_of(workspace).left)
    gone = [path for path in left if path not in still]
    say(f"a rebase was under way: it is undone{f', with {named(gone)}' if gone else ''}")
    return "it ended in the middle of a rebase; its commits are as they were before that"


def _go_forward(workspace: Workspace, head: str, say: Say) -> str | None:
    """It looked at an older commit of its own, and stayed there."""
    if workspace.git("checkout", "-q", BRANCH, check=False).ok:
        say(f"it ended at {head[:7]}, before its own last commits: they are handed over")
        return None
    left = state_of(workspace).left
    workspace.git("checkout", "-q", "-f", "--ignore-other-worktrees", BRANCH)
    say(f"it ended at {head[:7]}, before its own last commits; left out, {named(left)}")
    return (
        f"it ended at {head[:7]}, before its own last commits, with changes that do not fit them: "
        f"{named(left)}"
    )


def _resolve(workspace: Workspace, ref: str) -> str | None:
    found = workspace.git("rev-parse", "--verify", "-q", f"{ref}^{{commit}}", check=False)
    return found.out if found.ok and is_hash(found.out) else None
