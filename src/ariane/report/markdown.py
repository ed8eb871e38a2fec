"""The report on the algorithm as a text that can be published: Markdown, in either language."""

from __future__ import annotations

from collections.abc import Iterator

from ariane.report.algorithm import Algorithm, Importance, Stage
from ariane.report.words import HEADINGS, SENTENCES, numbered, words

_COLON = {"en": ":", "fr": "\u00a0:"}


def markdown(told: Algorithm, language: str) -> str:
    """The whole document in "en" or "fr"."""
    sections = (
        ("stages", _stages(told, language)),
        ("values", _values(told, language)),
        ("model", model_sentences(told, language)),
        ("importances", _importances(told, language)),
        ("inputs", _inputs(told, language)),
        ("absent", (f"- {text[language]}" for text in told.absent)),
        ("options", (f"- {one.what[language]} (`{one.href}`)" for one in told.options)),
        ("feeds", (f"- {one.title.get(language, one.name)} (`{one.name}`)" for one in told.feeds)),
    )
    lines = [f"# {heading('title', language)}"]
    for name, body in sections:
        kept = list(body)
        if kept:
            lines += ["", f"## {heading(name, language)}", "", *kept]
    return "\n".join(lines) + "\n"


def heading(name: str, language: str) -> str:
    """A heading in either language."""
    return words(*HEADINGS[name])[language]


def model_sentences(told: Algorithm, language: str) -> tuple[str, ...]:
    """What the live model is, and how well it did; nothing where none is trained."""
    model = told.model
    if model is None:
        return ()
    now = words(*SENTENCES["until_now"])[language]
    lines = [
        words(
            *SENTENCES["model"],
            name=model.name,
            size=model.size,
            parameters=model.parameters,
            exposures=model.exposures,
            viewers=model.viewers,
            posts=model.posts,
            until=model.until or now,
        )[language]
    ]
    if model.figures is None or model.key is None:
        return (*lines, words(*SENTENCES["unsigned"])[language])
    auc, shown = model.figures.get("ranker", {}).get("auc"), model.figures.get("protocol")
    if auc is not None and shown:
        on = {"exposures": shown["exposures"]["test"], "viewers": shown["viewers"]["auc"]}
        lines.append(words(*SENTENCES["quality"], auc=auc, **on)[language])
    return (*lines, words(*SENTENCES["signed"], key=model.key[:16])[language])


def importance_sentence(told: Algorithm, language: str) -> str:
    """On what the importances were measured, or that they were not."""
    if not told.model:
        return words(*SENTENCES["unweighed"])[language]
    if not told.importances:
        return words(*SENTENCES["unmeasured"])[language]
    on = {name: told.measured[name] for name in ("exposures", "viewers")}
    return words(*SENTENCES["importances"], **on)[language]


def loss_in_words(one: Importance, language: str) -> str:
    """What is lost of every 100 pairs, with its interval; "" where it was not told."""
    if one.loss is None:
        return ""
    low, middle, high = (round(100 * part, 1) + 0.0 for part in one.loss)  # + 0.0: no −0.0
    to = {"en": "to", "fr": "à"}[language]
    pattern = "{middle:.1f} ({low:.1f} {to} {high:.1f})"
    return numbered(language, pattern, low=low, middle=middle, high=high, to=to)


def _stages(told: Algorithm, language: str) -> Iterator[str]:
    for number, stage in enumerate(told.stages, start=1):
        yield f"{number}. **{stage.title[language]}.** {stage.what[language]}"
        yield from _parts(stage, language)


def _parts(stage: Stage, language: str) -> Iterator[str]:
    yield from (f"   - {part.what.get(language, part.name)}" for part in stage.parts)


def values_sentence(told: Algorithm, language: str) -> str:
    """Who set the values, and what they are multiplied by where nothing is predicted."""
    names = ("values",) if told.model else ("values", "values_by_time")
    return " ".join(words(*SENTENCES[name])[language] for name in names)


def _values(told: Algorithm, language: str) -> Iterator[str]:
    yield values_sentence(told, language)
    yield ""
    for worth in sorted(told.values, key=lambda one: -one.value):
        value = numbered(language, "{value:+g}", value=worth.value)
        yield f"- {worth.title[language]}{_COLON[language]} {value}"


def _importances(told: Algorithm, language: str) -> Iterator[str]:
    if told.model is None:
        return
    yield importance_sentence(told, language)
    if told.importances:
        yield ""
    for one in told.importances:
        loss = f" {loss_in_words(one, language)}." if one.loss else ""
        yield f"- **{one.title[language]}.**{loss} {one.why[language]}"


def _inputs(told: Algorithm, language: str) -> Iterator[str]:
    for token, title in told.tokens.items():
        held = [one for one in told.inputs if one.token == token]
        if held:
            yield f"- {title[language]}{_COLON[language]}"
            yield from (f"  - {one.what[language]} (`{one.name}`)" for one in held)
