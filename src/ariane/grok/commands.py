"""What a user types; a command line adds `app`, and each command loads its work when it runs."""

from __future__ import annotations

import typer

from ariane.grok.commands_checkpoint import app as of_checkpoints
from ariane.grok.commands_model import app as of_models
from ariane.grok.commands_plan import app as of_plans

app = typer.Typer(
    help="Grok-1 and Grok-2 from Python: what runs where, checkpoints of any layout, running.",
    no_args_is_help=True,
)
for one in (of_plans, of_checkpoints, of_models):
    app.add_typer(one)  # without a name: its commands are the app's own
