"""What a user types; nothing heavy is loaded before its command runs."""

from __future__ import annotations

import typer

from ariane.commands.feeds import app as of_feeds
from ariane.commands.learning import app as of_learning
from ariane.commands.people import app as of_people
from ariane.commands.serving import app as of_serving
from ariane.commands.taking_in import app as of_taking_in
from ariane.grok.commands import app as of_grok

app = typer.Typer(
    name="ariane",
    help="A self-hosted, open For You feed whose every reason can be replayed.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for one in (of_taking_in, of_learning, of_feeds, of_serving):
    app.add_typer(one)  # without a name: its commands are the app's own
app.add_typer(of_people, name="person")
app.add_typer(of_grok, name="grok")
