"""The command line: ``foldwise``. Its commands are the files of ``commands/``."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import NoReturn, cast

import click

from pipelines import commands
from pipelines.exit_codes import DONE, INPUT, INTERRUPTED, PART_FAILED


class Commands(click.Group):
    """A group whose commands are found by walking ``commands/``, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the files."""
        return sorted(module.name for module in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a file."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return cast(click.Command, importlib.import_module(f"{commands.__name__}.{cmd_name}").command)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="foldwise", prog_name="foldwise")
def foldwise() -> None:
    """One declaration to a submission: every number out-of-fold, whatever learns learns inside the fold."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    sys.exit(_code_of(arguments))


def _code_of(arguments: list[str] | None) -> int:
    from features.errors import InputError
    from pipelines.failures import ModelFailedError

    try:
        foldwise.main(args=arguments, prog_name="foldwise", standalone_mode=False)
    except click.exceptions.Abort:
        return _interrupted(arguments)
    except KeyboardInterrupt:
        return _interrupted(arguments)
    except click.ClickException as error:
        error.show()
        return INPUT
    except InputError as error:
        click.echo(f"foldwise: {error}", err=True)
        return INPUT
    except ModelFailedError as error:
        click.echo(f"foldwise: {error}", err=True)
        return PART_FAILED
    return DONE


def _interrupted(arguments: list[str] | None) -> int:
    import shlex

    command = shlex.join(["foldwise", *(sys.argv[1:] if arguments is None else arguments)])
    click.echo(f"\ninterrupted; all finished fold fits are kept. To continue: {command}", err=True)
    return INTERRUPTED


if __name__ == "__main__":
    main()
