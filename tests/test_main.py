"""The door: exit statuses, one sentence an error, JSON where it is asked for."""

import json
from pathlib import Path

import pytest
from tests.ask.conftest import NOW, furnished
from tests.homes import community, with_ranker

from ariane.__main__ import main
from ariane.steer import parse
from ariane.steer.keep import keep

POLIS_COMMENTS = """timestamp,comment-id,author-id,agrees,disagrees,moderated,comment-body
1500000000000,0,1,0,0,1,Trains should be cheaper than planes.
1500000001000,1,2,0,0,1,Night trains are back and that is good news.
"""
POLIS_VOTES = """timestamp,datetime,comment-id,voter-id,vote
1500000002000,x,0,3,1
1500000003000,x,1,3,-1
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    community(folder)
    with_ranker(folder)
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    status = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["feeed"], "feeed"),
        (["feed", "--size", "999"], "--size"),
        (["bench", "nothing"], "nothing is no benchmark"),
        (["evaluate", "--suite", "nothing"], "nothing is no suite"),
        (["demo", "--data", "nothing"], "nothing"),
        (["token"], "--operator"),
        (["feed", "--home", "nowhere"], "ariane init nowhere"),
        (["why"], "name a viewer and a post"),
        (["train", "nothing"], "nothing cannot be trained"),
        (["train", "reader", "--seed", "7"], "--seed changes nothing in a reader; leave it out"),
        (["train", "reader", "--size", "small"], "--size changes nothing in a reader"),
        (["train", "retriever", "--holdout", ".1"], "--holdout changes nothing in a retriever"),
    ],
)
def test_a_wrong_call_ends_in_2_and_one_sentence(
    capsys: pytest.CaptureFixture[str],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    named: str,
) -> None:
    if "--home" not in arguments and arguments[0] != "demo":
        monkeypatch.setenv("ARIANE_HOME", str(home))
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert named in err
    assert "Traceback" not in err + out


def test_take_in_read_and_serve_a_first_feed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = tmp_path / "trains"
    data.mkdir()
    (data / "comments.csv").write_text(POLIS_COMMENTS)
    (data / "votes.csv").write_text(POLIS_VOTES)
    new = tmp_path / "new"
    assert run(capsys, "init", new)[0] == 0
    status, out, _ = run(capsys, "ingest", data, "--home", new, "--json")
    assert (status, json.loads(out)[0]["new"]) == (0, 4)
    status, out, _ = run(capsys, "ingest", data, "--home", new, "--json")
    assert (status, json.loads(out)[0]["new"]) == (0, 0)
    status, out, _ = run(capsys, "read", "--home", new, "--json")
    assert (status, json.loads(out)[0]["posts read"]) == (0, 2)
    status, out, _ = run(capsys, "feed", "--home", new, "--json")
    page = json.loads(out)
    assert (status, page["model"], len(page["items"])) == (0, "recent", 2)
    assert all(item["why"] for item in page["items"])


def test_a_feed_is_printed_and_replayed(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    status, out, _ = run(capsys, "feed", "v1", "--home", home, "--size", 5, "--language", "fr")
    assert status == 0
    assert "ranker-1" in out
    request = out.split("--replay ")[1].split()[0]
    status, out, _ = run(capsys, "why", "--replay", request, "--home", home, "--json")
    assert status == 0
    found = json.loads(out)[0]
    assert found["same page"] is True
    assert found["claims"] == found["held"]
    assert run(capsys, "why", "--replay", "nothing", "--home", home)[0] == 2


def test_an_empty_page_says_why(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(capsys, "init", tmp_path)
    status, out, _ = run(capsys, "feed", "--home", tmp_path)
    assert (status, "no posts yet" in out) == (0, True)
    status, out, _ = run(capsys, "feed", "--home", tmp_path, "--language", "fr", "--json")
    assert (status, "pas encore de publications" in json.loads(out)["empty"]) == (0, True)


@pytest.mark.parametrize("command", [["feed", "v22"], ["steer", "v22"], ["why", "v22", "POST"]])
def test_a_viewer_of_whom_nothing_is_known_is_named_and_served(
    capsys: pytest.CaptureFixture[str], home: Path, command: list[str]
) -> None:
    post = json.loads(run(capsys, "feed", "v2", "--home", home, "--json")[1])["items"][0]["post"]
    words = [word.replace("POST", post) for word in command]
    for _ in range(2):  # having been served a page makes nobody known
        status, out, err = run(capsys, *words, "--home", home, "--json")
        assert (status, bool(json.loads(out)) or command[0] == "steer") == (0, True)
        assert err == "ariane: nothing is known of v22; the nearest name is v2.\n"
    assert "nothing is known" not in run(capsys, "feed", "v2", "--home", home, "--json")[2]
    assert "nothing is known" not in run(capsys, "feed", "--home", home, "--json")[2]


def test_why_names_causes_of_one_post(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    page = json.loads(run(capsys, "feed", "v2", "--home", home, "--json")[1])
    post = page["items"][0]["post"]
    status, out, _ = run(capsys, "why", "v2", post, "--home", home, "--json")
    assert status == 0
    assert json.loads(out)[0]["why"]


def test_wishes_are_written_listed_and_undone(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    arguments = ("steer", "v3", "[red]fewer", "--home", home, "--json")
    status, out, _ = run(capsys, *arguments, "--less", "word:crypto", "--until", "2099-01-01")
    assert (status, json.loads(out)[0]["target"]) == (0, "word:crypto")
    assert "[red]fewer" in run(capsys, "steer", "v3", "--home", home)[1]  # no markup in a table
    assert run(capsys, *arguments, "--more", "nonsense")[0] == 2
    status, _, err = run(capsys, *arguments, "--less", "topic:football")
    assert (status, "word:football" in err) == (2, True)
    (wish,) = json.loads(run(capsys, *arguments, "--more", "word:crypto")[1])
    assert wish["direction"] == 1  # in the place of the one on its target
    status, out, _ = run(capsys, *arguments, "--undo", wish["id"])
    assert (status, json.loads(out)) == (0, [])
    assert run(capsys, *arguments, "--undo", wish["id"])[0] == 2


def test_a_question_is_answered_with_what_it_rests_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    engine = furnished(tmp_path / "home")
    keep(engine.store, "vic", parse("less politics", NOW), NOW)  # as over HTTP
    engine.store.close()
    at = ("--home", tmp_path / "home")
    status, out, _ = run(capsys, "ask", "vic", "how many stops will the tram have?", *at)
    assert status == 0
    assert "will have twelve stops, says the council.” [1]" in " ".join(out.split())
    assert "(tram)" in out
    assert "no AI wrote this" in out
    status, out, _ = run(
        capsys, "ask", "vic", "Que dit-on du loup dans les Combes ?", *at, "--json"
    )
    answer = json.loads(out)
    assert answer["lines"][0]["text"].startswith("Voici")
    assert (answer["ai"], answer["citations"][0]["id"]) == (False, "wolf")
    status, out, _ = run(capsys, "ask", "vic", "is this confirmed?", *at, "--post", "rumour")
    assert "(answer)" in out
    status, out, _ = run(capsys, "ask", "vic", "less politics until Sunday", *at)
    assert (status, "less politics until Sunday" in out) == (0, True)
    status, out, _ = run(capsys, "steer", "vic", *at, "--json")
    assert [wish["target"] for wish in json.loads(out)] == ["topic:politics"]


def test_a_person_is_exported_and_erased(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    status, out, _ = run(capsys, "person", "export", "v11", "--home", home)
    assert status == 0
    assert json.loads(out)["actions"]
    assert run(capsys, "person", "erase", "v11", "--home", home)[0] == 0
    assert run(capsys, "person", "erase", "v11", "--home", home)[0] == 2


def test_claims_of_many_feeds_replay(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    arguments = ("evaluate", "--suite", "why", "--viewers", 3, "--home", home, "--json")
    status, out, _ = run(capsys, *arguments)
    found = json.loads(out)[0]
    assert status == 0
    assert found["feeds"] == found["same pages"] == 3
    assert found["claims"] == found["held"]


def test_a_token_names_its_viewer(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert run(capsys, "token", "v1", "--home", home)[1].count(".") == 2
    assert run(capsys, "token", "--operator", "--home", home)[0] == 0


def test_a_run_without_a_report_is_not_promoted(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    status, _, err = run(capsys, "promote", "ranker-1", "--home", home)
    assert status == 1
    assert "report" in err


def test_a_full_disk_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = run(capsys, "init", tmp_path / "file" / "home")
    assert status == 1
    assert "Traceback" not in err
    assert err.count("\n") == 1


def test_words_alone_are_wishes(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    said = "plus de sciences, no football until 2099-01-01"
    status, out, _ = run(capsys, "steer", "v4", said, "--home", home, "--json")
    found = {wish["target"]: wish for wish in json.loads(out)}
    assert status == 0
    assert found["topic:science"]["direction"] == 1
    assert found["topic:science"]["until"] is None
    assert found["word:football"]["strength"] == 1.0
    assert found["word:football"]["until"].startswith("2099-01-01")
    assert found["word:football"]["said"] == "no football until 2099-01-01"


def test_words_that_are_not_understood_are_quoted(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    status, _, err = run(capsys, "steer", "v5", "make it better", "--home", home)
    assert status == 2
    assert "better" in err
    assert "less politics until Sunday" in err


def test_one_command_follows_one_target(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    status, _, err = run(capsys, "ingest", "a", "b", "--follow", "--home", home)
    assert status == 2
    assert "--follow" in err


@pytest.mark.parametrize(
    ("question", "more", "told"),
    [
        ("", (), "a question has 1 to 500 characters"),
        ("a" * 501, (), "this one has 501"),
        ("who?", ("--language", "de"), "de is no language of answers"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(
    capsys: pytest.CaptureFixture[str], question: str, more: tuple[str, ...], told: str
) -> None:
    status, _, err = run(capsys, "ask", "vic", question, *more)
    assert status == 2
    assert told in err
