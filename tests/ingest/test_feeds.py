"""RSS, Atom, JSON Feed and OPML: an entry keeps its id, and an edit is a new revision."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.events import NOW, items, source

from ariane.ingest import feeds, jsonfeed
from ariane.ingest.opml import addresses
from ariane.ingest.plain import plain
from ariane.ingest.settings import IngestSettings
from ariane.ingest.source import START, BrokenSourceError, Records, Reject, Source
from ariane.types import Account, Event, Media, Post

URL = "https://e.example/feed"
RSS = """<?xml version="1.0"?><rss version="2.0"
 xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>The &lt;b&gt;Daily&lt;/b&gt;</title><link>https://e.example/</link>
<language>fr-FR</language>{items}</channel></rss>"""
ITEM = """<item><title>Bonjour &amp;amp; salut</title><guid isPermaLink="false">g1</guid>
<link>https://e.example/1</link><pubDate>Fri, 01 May 2026 10:00:00 GMT</pubDate>
<description>&lt;p&gt;Un&lt;/p&gt;&lt;p&gt;deux&lt;script&gt;x()&lt;/script&gt;&lt;/p&gt;</description>
<enclosure url="https://e.example/a.mp3" type="audio/mpeg" length="1"/>
<media:content url="https://e.example/a.png" medium="image"/>
<media:thumbnail url="https://e.example/t.png"/>
<enclosure url="ftp://e.example/a.pdf" type="application/pdf" length="1"/></item>"""
SECOND = ITEM.replace("g1", "g2")
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">
<title>Atom</title><id>urn:atom</id><entry xml:lang="de"><id>urn:1</id><title>Titel</title>
<link href="https://e.example/1"/><published>2026-05-01T10:00:00Z</published>
<updated>2026-05-01T11:00:00+01:00</updated><content type="html">&lt;i&gt;Text&lt;/i&gt;</content>
</entry></feed>"""
JSON: dict[str, Any] = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "JSON",
    "feed_url": URL,
    "language": "en-GB",
    "items": [
        {
            "id": 7,
            "url": "https://e.example/7",
            "content_html": "<h1>One</h1>two",
            "date_published": "2026-05-01T10:00:00Z",
            "date_modified": "2026-05-01T11:00:00+01:00",
            "image": "https://e.example/a.png",
            "attachments": [{"url": "https://e.example/b.mp4", "mime_type": "video/mp4"}],
        }
    ],
}
TEN = NOW - 2 * 3_600_000


def rss(items: str = ITEM) -> bytes:
    return RSS.replace("{items}", items).encode()


def at(body: bytes, *held: Post, place: str = URL, **more: Any) -> Source:
    known = {post.id: post for post in held}
    return source(body, place, known=lambda ids: {i: known[i] for i in ids if i in known}, **more)


def posts(records: Records) -> list[Post]:
    return [one for one in items(records) if isinstance(one, Post)]


def only(found: list[Event | Reject], kind: type[Any]) -> Any:
    (one,) = [one for one in found if isinstance(one, kind)]
    return one


def test_an_rss_item_is_a_post_of_the_feeds_account() -> None:
    found = items(feeds.read(at(rss())))
    account, post = only(found, Account), only(found, Post)
    assert account.name == "The Daily"
    assert post == Post(
        id=post.id,
        author=account.id,
        text="Bonjour & salut\n\nUn\ndeux",
        at=TEN,
        rev=TEN,
        lang="fr",
        url="https://e.example/1",
        media=(
            Media("https://e.example/a.mp3", "audio", mime="audio/mpeg"),
            Media("https://e.example/a.png", "image"),
            Media("https://e.example/t.png", "image"),
        ),
        source=f"feed:{URL}",
    )
    assert post.id.startswith(f"{account.id}/")


def test_an_atom_entry_has_the_revision_of_its_update() -> None:
    post = only(items(feeds.read(at(ATOM.replace("11:00:00+01", "11:30:00+01").encode()))), Post)
    assert (post.text, post.lang, post.at) == ("Titel\n\nText", "de", TEN)
    assert post.rev == TEN + 30 * 60_000


def test_a_json_feed_item_is_a_post() -> None:
    found = items(jsonfeed.read(at(json.dumps(JSON).encode())))
    post = only(found, Post)
    assert (post.text, post.at, post.rev, post.lang) == ("One\ntwo", TEN, TEN, "en")
    assert [one.kind for one in post.media] == ["image", "video"]
    assert only(found, Account).name == "JSON"


def test_ids_depend_on_the_feed_and_the_guid_alone() -> None:
    (first,) = posts(feeds.read(at(rss())))
    moved = ITEM.replace("Un", "Edited").replace("/1<", "/other<")
    assert [one.id for one in posts(feeds.read(at(rss(moved))))] == [first.id]
    other = posts(feeds.read(at(rss(), place="https://other.example/feed")))
    assert other[0].id != first.id
    linked = ITEM.replace('<guid isPermaLink="false">g1</guid>', "")
    (by_link,) = posts(feeds.read(at(rss(linked))))
    assert by_link.id not in {first.id, other[0].id}


def test_a_feed_on_disk_without_address_is_known_by_its_name_and_never_by_its_path() -> None:
    bare = rss().replace(b"<link>https://e.example/</link>", b"")
    (post,) = posts(feeds.read(at(bare, place="/home/someone/one.xml")))
    (moved,) = posts(feeds.read(at(bare, place="/srv/one.xml")))
    (other,) = posts(feeds.read(at(bare, place="/srv/two.xml")))
    assert post.source == "feed:one.xml"
    assert (moved.id == post.id, other.id == post.id) == (True, False)


def test_a_feed_on_disk_is_known_by_the_address_it_states() -> None:
    (here,) = posts(feeds.read(at(rss(), place="/tmp/one.xml")))
    (there,) = posts(feeds.read(at(rss(), place="/tmp/two.xml")))
    assert here.id == there.id
    assert here.source == "feed:https://e.example/"


def test_an_edit_without_a_date_of_update_is_seen_by_its_text() -> None:
    (first,) = posts(feeds.read(at(rss())))
    assert posts(feeds.read(at(rss(), first))) == [first]
    edited = rss(ITEM.replace("Un", "Edited"))
    (second,) = posts(feeds.read(at(edited, first)))
    assert (second.rev, second.text) == (first.rev + 1, "Bonjour & salut\n\nEdited\ndeux")
    assert posts(feeds.read(at(edited, second))) == [second]


def test_an_entry_without_any_date_keeps_the_time_it_was_first_seen() -> None:
    undated = rss(ITEM.replace("pubDate", "ignored"))
    (first,) = posts(feeds.read(at(undated)))
    assert (first.at, first.rev) == (NOW, 1)
    later = Source(URL, at(undated).open, now=lambda: NOW + 9, known=lambda ids: {first.id: first})
    assert posts(feeds.read(later)) == [first]


def test_a_date_of_the_year_0_is_none() -> None:
    (post,) = posts(feeds.read(at(ATOM.replace("2026-", "0000-").encode())))
    assert (post.at, post.rev) == (NOW, 1)


def test_an_update_in_the_future_is_no_revision_to_keep() -> None:
    (post,) = posts(feeds.read(at(ATOM.replace("<updated>2026", "<updated>2096").encode())))
    assert post.rev == TEN


def test_a_feed_that_did_not_change_gives_nothing() -> None:
    records = feeds.read(at(rss()))
    next(records.items)
    assert records.position() == START
    items(records)
    assert items(feeds.read(at(rss(), start=records.position()))) == []


def test_a_bad_entry_is_set_aside_and_a_repeated_one_taken_once() -> None:
    future = ITEM.replace("2026 10", "2036 10").replace("g1", "g2")
    long = ITEM.replace("Un", "u" * 100_001).replace("g1", "g3")
    again = ITEM.replace("Un", "older")
    found = items(feeds.read(at(rss(future + ITEM + again + long))))
    assert only(found, Post).text.endswith("Un\ndeux")
    rejects = [(one.line, one.text, one.error) for one in found if isinstance(one, Reject)]
    assert [reject[:2] for reject in rejects] == [(1, "g2"), (4, "g3")]
    assert "in the future" in rejects[0][2]
    assert "at most 100,000" in rejects[1][2]


@pytest.mark.parametrize(
    ("read", "body", "error"),
    [
        (feeds.read, b"<html><body>Hello</body></html>", "is neither RSS nor Atom"),
        (feeds.read, b"https://e.example/feed", "is neither RSS nor Atom"),
        (feeds.read, b" \n", "is empty"),
        (feeds.read, b"x" * 2_000, "is larger than 1,000 bytes"),
        (feeds.read, b"\x1f\x8b\x08cut", "cannot be read"),
        (jsonfeed.read, b"{", "is no JSON"),
        (jsonfeed.read, b"\xff", "is no JSON"),
        (jsonfeed.read, b"[]", "is no JSON Feed"),
        (jsonfeed.read, b'{"version": "https://jsonfeed.org/version/1"}', "is no JSON Feed"),
        (addresses, b"<opml><outline", "is no OPML"),
        (addresses, b'<!DOCTYPE a [<!ENTITY b "c">]><opml/>', "declares XML entities"),
        (addresses, b'<opml><outline xmlUrl="a"/><outline xmlUrl="b"/></opml>', "names 2 feeds"),
    ],
)
def test_what_is_no_feed_is_named(read: Any, body: bytes, error: str) -> None:
    settings = IngestSettings(fetch_bytes=1_000, opml_feeds=1)
    with pytest.raises(BrokenSourceError, match=error):
        read(at(body, settings=settings))


def test_a_feed_that_its_parser_fails_on_is_named() -> None:
    body = rss(ITEM.replace("Bonjour", f"<&#{'1' * 5_000};"))
    with pytest.raises(BrokenSourceError, match="cannot be parsed"):
        feeds.read(at(body))


def test_a_feed_cut_in_the_middle_gives_the_entries_before() -> None:
    whole = rss(ITEM + ITEM.replace("g1", "g2"))
    assert len(posts(feeds.read(at(whole[: whole.rindex(b"<enclosure")])))) >= 1


def test_entities_that_multiply_do_not() -> None:
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    bomb = f'<!DOCTYPE rss [<!ENTITY e0 "lol">{lines}]>' + RSS.partition("?>")[2]
    body = bomb.replace("{items}", ITEM.replace("Bonjour", "&e8;")).encode()
    found = posts(feeds.read(at(body)))
    assert all(len(post.text) < 10_000 for post in found)


@pytest.mark.parametrize(
    "change",
    [
        {"items": [{}, "text", None, {"id": ["x"], "content_html": 5, "attachments": "none"}]},
        {"title": None, "items": [{"id": "a", "content_text": "t", "date_published": "today"}]},
    ],
)
def test_a_json_feed_of_odd_values_is_read_as_far_as_it_goes(change: dict[str, Any]) -> None:
    found = items(jsonfeed.read(at(json.dumps(JSON | change).encode())))
    assert all(isinstance(one, Account | Post) for one in found)


def test_an_opml_gives_each_address_once_in_its_order() -> None:
    body = b"""<?xml version="1.0"?><opml version="2.0"><body><outline text="News">
    <outline text="B" type="rss" xmlUrl="https://b.example/"/><outline xmlUrl=" "/>
    <OUTLINE xmlUrl="https://a.example/"/><outline xmlUrl="https://b.example/"/>
    </outline></body></opml>"""
    assert addresses(source(body)) == ("https://b.example/", "https://a.example/")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("a &lt; b &amp; c&nbsp;d &eacute;", "a < b & c d é"),
        ("<p>one</p>\n  <p>two<br>three</p>", "one\ntwo\nthree"),
        ("<b>one</b> <i>two</i>,three", "one two,three"),
        ("a<script>b</script><style>c</style>d", "ad"),
        ("a<template><p>b</p></template>c", "ac"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("a < b <", "a < b <"),
        ("<a href='x'>link</a><!-- no -->", "link"),
        ("</script>ok", "ok"),
        ("<SCRIPT>'</p>'</Script >ok<script src='x'/>!", "ok!"),
        ("<a title='a > b' rel=\"'\">link</a>", "link"),
        ("<!DOCTYPE html><?xml version='1.0'?>ok", "ok"),
        ("<![foo[bar]]>", ""),
        ("<![CDATA[a]]>b", "b"),
        ("a<!-- <p>b</p> > -- >", "a"),
        ("I </3 you &#x1F494; &#1234567890;", "I </3 you \U0001f494 \ufffd"),
        (f"a&#{'1' * 5_000};b", "a\ufffdb"),
    ],
)
def test_html_becomes_what_a_reader_would_see(markup: str, text: str) -> None:
    assert plain(markup) == text


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<b> ", "<![a[", "<!--", "<a b='", "<a = ", "<script>", "<script/>", "</script", "&#1"],
)
def test_a_megabyte_of_hostile_markup_costs_what_as_much_text_does(piece: str) -> None:
    """In time quadratic in their length, most of these would take hours."""
    text = plain(f"<p>before</p>{piece * (1_000_000 // len(piece))}")
    assert text.partition("\n")[0] == "before"


def test_a_hostile_entry_is_read_whoever_parses_its_feed() -> None:
    markup = "&lt;a " * 50_000 + "&lt;![foo[bar]]&gt;"
    first, second = posts(feeds.read(at(rss(ITEM.replace("&lt;p&gt;Un", markup) + SECOND))))
    assert first.text.startswith("Bonjour & salut")
    assert second.id != first.id


@given(st.text(st.sampled_from("<>/&;\"'= \npbascript!-[]"), max_size=200))
def test_any_markup_becomes_text_without_blank_lines(markup: str) -> None:
    text = plain(markup)
    assert "\n\n" not in text
    assert text == text.strip()
