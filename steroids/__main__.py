"""`steroids`, and `python -m steroids`."""

import sys

PS = {("ps",): False, ("ps", "--json"): True, ("--json", "ps"): True}
"""Spellings of `steroids ps` that are answered at a glance, and whether as JSON."""


def main() -> None:
    argv = tuple(sys.argv[1:])
    if argv in PS:
        from steroids.cli.context import Context
        from steroids.cli.failures import answered
        from steroids.cli.glance import show

        context = Context()
        context.out.json = PS[argv]
        sys.exit(answered(context, lambda: show(context)))

    from steroids.cli.app import run

    sys.exit(run(argv))


if __name__ == "__main__":
    main()
