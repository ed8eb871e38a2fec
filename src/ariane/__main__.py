"""The door: one command, and the status that it ends with."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from ariane.commands import app
from ariane.commands.terminal import err
from ariane.types import ArianeError, CallError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0 done, 1 the work failed, 2 the call was wrong."""
    try:
        status = app(args=arguments, standalone_mode=False)
    except CallError as error:
        return _fail(str(error), 2)
    except ArianeError as error:
        return _fail(str(error), 1)
    except OSError as error:
        return _fail(f"{error.filename or 'the system'}: {error.strerror or error}.", 1)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("stopped.", 130)
    except typer.Exit as leave:
        return leave.exit_code
    except Exception as error:
        if hasattr(error, "exit_code") and hasattr(error, "format_message"):  # click's UsageError
            return _fail(error.format_message(), 2)
        raise
    return status if isinstance(status, int) else 0  # without standalone mode, Exit is returned


def _fail(sentence: str, status: int) -> int:
    err.print(f"ariane: {sentence}", highlight=False, markup=False, soft_wrap=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
