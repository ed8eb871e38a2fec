"""Wire models of questions and answers: in this API's own shape, and in OpenAI's."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from ariane.ask import Citation, Line
from ariane.ask.turns import TURNS
from ariane.serve.models import WishOut
from ariane.serve.values import Id, Language, Strict
from ariane.serve.values import Line as Words

MODEL = "ariane"
"""The name of the model that OpenAI's clients ask for: the feed itself."""

MESSAGES = 1000
"""The most messages of a conversation, of which the last ones of the user are read."""

RECEIPT = r"^[A-Za-z0-9_-]{1,100}$"


class About(BaseModel):
    """What a question is about beside its words, and in which language it is answered.

    Without a `language` it is the question's own. `request` names the page on which the post was
    shown. A wish is answered as a question, and not kept, where `keep` is false.
    """

    post: Id | None = None
    account: Id | None = None
    request: Annotated[str, Field(pattern=RECEIPT)] | None = None
    language: Language | None = None
    profiled: bool = True
    keep: bool = True


class AskIn(About, Strict):
    """A question in plain words; a wish is one too.

    `earlier` are the asker's own questions before it, the oldest first: "and yesterday?" is
    understood from them. Wishes among them are not kept again. Where `words` is false, no language
    model is asked: posts are quoted.
    """

    question: Annotated[Words, Field(min_length=1, examples=["what did I miss on energy?"])]
    earlier: Annotated[list[Words], Field(max_length=TURNS)] = []
    words: bool = True


class CitationOut(BaseModel):
    """What a sentence rests on: words of a post as they stand in it, or a receipt; and its page."""

    number: int
    kind: Literal["post", "receipt"]
    id: str
    author: str
    quote: str
    path: str

    @classmethod
    def of(cls, one: Citation, post: str | None) -> CitationOut:
        """A citation of an answer that is about `post`, if about one."""
        return cls(
            number=one.number,
            kind=one.kind,
            id=one.id,
            author=one.author,
            quote=one.quote,
            path=path_of(one, post),
        )


class LineOut(BaseModel):
    """A sentence, the numbers of what it cites, and the model that worded it ("": none did)."""

    text: str
    cites: list[int]
    by: str

    @classmethod
    def of(cls, line: Line) -> LineOut:
        """A sentence whose citations are numbered."""
        return cls(text=line.text, cites=[one.number for one in line.cites], by=line.by)


class AnswerOut(BaseModel):
    """An answer; `ai` is whether a language model (`by`) worded any of it."""

    lines: list[LineOut]
    citations: list[CitationOut]
    wishes: list[WishOut]
    by: str
    ai: bool


class TextPart(BaseModel):
    """A piece of a message that is text."""

    type: Literal["text"]
    text: str


class MessageIn(BaseModel):
    """A message of a conversation; only the user's last ones are read."""

    role: str
    content: str | list[TextPart | dict[str, Any]] | None = None

    def words(self) -> str:
        """Its text on one line."""
        if isinstance(self.content, list):
            parts = [one.text for one in self.content if isinstance(one, TextPart)]
            return " ".join(" ".join(parts).split())
        return " ".join((self.content or "").split())


class CompletionIn(About):
    """A request of OpenAI's API. Parameters that a feed has no use for are passed over."""

    model: str
    messages: Annotated[list[MessageIn], Field(min_length=1, max_length=MESSAGES)]
    stream: bool = False
    n: Literal[1] | None = None


class MessageOut(BaseModel):
    """The message of an answer."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The one answer that there is."""

    index: int = 0
    message: MessageOut
    finish_reason: Literal["stop"] = "stop"


class Completion(BaseModel):
    """An answer in OpenAI's shape; `citations` is what its marks refer to."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: list[Choice]
    citations: list[CitationOut]


class Delta(BaseModel):
    """What a piece adds to the message."""

    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(BaseModel):
    """The one answer that there is, as far as it has come."""

    index: int = 0
    delta: Delta
    finish_reason: Literal["stop"] | None = None


class Chunk(BaseModel):
    """A piece of an answer in OpenAI's shape; the last piece of text has the citations."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str = MODEL
    choices: list[ChunkChoice]
    citations: list[CitationOut] | None = None


class Model(BaseModel):
    """A model by its name."""

    model_config = ConfigDict(protected_namespaces=())

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = MODEL


class Models(BaseModel):
    """The models that there are."""

    object: Literal["list"] = "list"
    data: list[Model]


def path_of(one: Citation, post: str | None) -> str:
    """The page of a citation: a post's thread, or why a post stood on a page."""
    if one.kind == "receipt":
        return f"/w/{quote(one.id)}/{quote(post or '')}"
    return f"/p/{quote(one.id)}"
