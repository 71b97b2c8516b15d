import click

from steroids.cli.command import Command, Context, address, pass_context
from steroids.cli.options import now_option, sections_option
from steroids.cli.output import count
from steroids.errors import SteroidsError, UsageError
from steroids.wire.body import to_builtins
from steroids.wire.project import Projects
from steroids.wire.runner import Down, Runner, Runners

TIMEOUT_S = 120.0


@click.command(cls=Command)
@sections_option("Default: all of this project.")
@click.option("--all", "everything", is_flag=True, help="Of all projects of this host.")
@now_option
@pass_context
def down(context: Context, sections: tuple[str, ...], everything: bool, now: bool) -> None:
    """Stop runners; nothing committed is lost."""
    if everything and sections:
        raise UsageError("--all and --section exclude each other", hint="steroids down --help")
    body = Down(sections=list(sections), now=now)
    stopped = stop_runners(context, body, everything=everything)
    if context.out.json:
        context.out.result(to_builtins(Runners(runners=stopped)))
        return
    if not stopped:
        context.out.note("no runner was running")
    else:
        context.out.note(f"{count(len(stopped), 'runner')} stopped; steroids up goes on")


def stop_runners(context: Context, body: Down, *, everything: bool) -> list[Runner]:
    """Of this project, or of all; says which, and returns when they have stopped."""
    stopped: list[Runner] = []
    for project in _projects(context, everything):
        url = address("down", project=project)
        try:
            answer = context.client.post(url, body, Runners, timeout_s=TIMEOUT_S)
        except SteroidsError as error:
            if not everything:
                raise
            # One that is on an unplugged drive is no reason to let the others run.
            context.out.note(f"note: {error.message}")
            continue
        stopped += answer.runners
        for runner in answer.runners:
            context.out.line(f"stopped {runner.id[:8]}  {runner.section or 'all sections'}")
    return stopped


def _projects(context: Context, everything: bool) -> list[str]:
    if not everything:
        return [str(context.project())]
    every = context.client.get("/v1/projects", Projects).projects
    return [each.path for each in every if each.status != "missing" or each.runners]
