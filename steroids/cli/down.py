import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.options import sections_option
from steroids.cli.output import count
from steroids.wire.body import to_builtins
from steroids.wire.runner import Down, Runners

TIMEOUT_S = 120.0


@click.command(cls=Command)
@sections_option("Default: all of this project.")
@click.option("--now", is_flag=True, help="Kill them; what was not uploaded is lost.")
@pass_context
def down(context: Context, sections: tuple[str, ...], now: bool) -> None:
    """Stop runners; nothing committed is lost."""
    body = Down(sections=list(sections), now=now)
    answer = context.client.post(context.url("down"), body, Runners, timeout_s=TIMEOUT_S)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    for runner in answer.runners:
        context.out.line(f"stopped {runner.id[:8]}  {runner.section}")
    if not answer.runners:
        context.out.note("no runner was running")
    else:
        context.out.note(f"{count(len(answer.runners), 'runner')} stopped; steroids up goes on")
