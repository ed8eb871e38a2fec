"""The container: its files are sound, what they name is there, and its commands do what they say.

No image is built here. The files are read by the parsers of others (hadolint, dockerfile-parse,
the schema of the Compose specification), and the commands of the image run outside of one.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from dockerfile_parse import DockerfileParser
from tests.test_docs import complaint, simple_commands

from ariane.home import init
from ariane.serve.http import SHUTDOWN_SECONDS
from ariane.serve.settings import ServeSettings
from ariane.settings import FILE

REPOSITORY = Path(__file__).parents[1]
DOCKERFILE = REPOSITORY / "Dockerfile"
COMPOSE = REPOSITORY / "compose.yaml"
SCRIPTS = Path(sysconfig.get_path("scripts"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HOME = "/var/lib/ariane"
ADDRESS = "--host 0.0.0.0 --port 8000"

no_hadolint = pytest.mark.skipif(
    not (SCRIPTS / "hadolint").exists(), reason="hadolint has no build for this machine"
)


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    """What hadolint says, every rule in force."""
    call = [SCRIPTS / "hadolint", "--no-color", path]
    return subprocess.run(call, check=False, capture_output=True, text=True)


@cache
def stages() -> tuple[tuple[tuple[str, str], ...], ...]:
    """The instructions of each stage with their values; those before the first FROM first."""
    parser = DockerfileParser(fileobj=BytesIO(DOCKERFILE.read_bytes()))
    found: list[list[tuple[str, str]]] = [[]]
    for entry in parser.structure:
        if entry["instruction"] == "FROM":
            found.append([])
        if entry["instruction"] != "COMMENT":
            found[-1].append((entry["instruction"], entry["value"]))
    return tuple(tuple(stage) for stage in found)


def values(instruction: str, stage: int = -1) -> list[str]:
    """The values of one instruction in a stage, by default in the last one: the image's own."""
    return [value for name, value in stages()[stage] if name == instruction]


@cache
def environment() -> Mapping[str, str]:
    """The environment of the image, beside that of its base."""
    pairs = (pair.partition("=") for value in values("ENV") for pair in value.split())
    return {name: value for name, _, value in pairs}


@cache
def compose() -> dict[str, Any]:
    """compose.yaml, parsed."""
    parsed: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return parsed


def service() -> dict[str, Any]:
    """The one service of compose.yaml."""
    (only,) = compose()["services"].values()
    assert isinstance(only, dict)
    return only


# The Dockerfile


@no_hadolint
def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    done = lint(DOCKERFILE)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


@no_hadolint
def test_hadolint_would_find_something(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python:latest\nRUN pip install torch\n", encoding="utf-8")
    assert {"DL3007", "DL3013"} <= set(re.findall(r"DL\d+", lint(bad).stdout))


def test_both_stages_stand_on_one_base_that_is_pinned_and_old_enough_to_run_ariane() -> None:
    bases = DockerfileParser(fileobj=BytesIO(DOCKERFILE.read_bytes())).parent_images
    assert len(bases) == 2
    assert len(set(bases)) == 1
    pinned = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", bases[0])
    assert pinned
    assert f"Programming Language :: Python :: {pinned[1]}" in PROJECT["classifiers"]


def test_it_runs_as_a_fixed_user_who_is_not_root_and_owns_the_home() -> None:
    (user,) = values("USER")
    uid, gid = user.split(":")
    assert (int(uid) > 0, int(gid) > 0) == (True, True)
    names = [name for name, _ in stages()[-1]]
    assert "RUN" not in names[names.index("USER") :]
    (made,) = values("RUN")
    assert f"--uid {uid} " in made
    assert f"--gid {gid} " in made
    assert f"install -d -o {uid} -g {gid} -m 0700 {HOME}" in made


def test_the_home_is_a_volume_and_is_where_commands_look() -> None:
    assert (values("VOLUME"), values("WORKDIR")) == ([HOME], [HOME])
    assert environment()["ARIANE_HOME"] == HOME


def test_only_what_was_installed_comes_from_the_build() -> None:
    (copied,) = values("COPY")
    option, source, there = copied.split()
    (first,) = values("FROM", 1)
    assert option == f"--from={first.split()[-1]}"
    assert source == there == "/opt/ariane"
    assert f"{there}/bin" in environment()["PATH"].split(":")


def test_every_package_is_pinned_by_the_constraints_and_torch_is_that_of_the_cpu() -> None:
    script = "\n".join(values("RUN", 1))
    calls = [words for words in simple_commands(script) if "install" in words]
    assert len(calls) == 3
    assert [words for words in calls if "-c constraints.txt" not in " ".join(words)] == []
    (torch,) = (words for words in calls if words[-1] == "torch")
    assert torch[torch.index("--index-url") + 1] == "$TORCH_INDEX"
    assert "--no-deps" in torch
    (index,) = values("ARG", 1)
    assert index.endswith("/whl/cpu")
    assert "--extra-index-url" not in script  # where any name could come from either
    pins = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8")
    assert {"torch", "hatchling"} <= set(re.findall(r"^([\w-]+)==", pins, re.MULTILINE))
    assert "--no-build-isolation" in script


def sources() -> list[str]:
    """What the first stage copies out of the repository."""
    return [word for value in values("COPY", 1) for word in value.split()[:-1]]


def test_what_the_build_copies_is_there_and_is_all_that_is_sent_to_it() -> None:
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(sources())
    assert [name for name in sources() if not (REPOSITORY / name).exists()] == []


def test_the_build_is_sent_all_that_the_wheel_is_made_of() -> None:
    listed = {PROJECT["readme"], *PROJECT["license-files"], "pyproject.toml", "src"}
    assert listed <= set(sources())


# compose.yaml


def test_compose_fits_the_schema_of_its_specification() -> None:
    call = [SCRIPTS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE]
    done = subprocess.run(call, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_port_is_reached_from_this_machine_only() -> None:
    (port,) = service()["ports"]
    address, outside, inside = port.split(":")
    assert ipaddress.ip_address(address).is_loopback
    assert outside == inside
    assert values("EXPOSE") == [inside]
    assert "network_mode" not in service()


def test_nothing_but_the_home_outlives_the_container_or_can_be_written_for_long() -> None:
    assert service()["read_only"] is True
    (mount,) = service()["volumes"]
    name, there = mount.split(":")
    assert name in compose()["volumes"]
    assert there == HOME
    assert service()["tmpfs"] == ["/tmp"]


def test_it_holds_no_capability_and_can_gain_none() -> None:
    assert service()["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service()["security_opt"]
    assert {"privileged", "cap_add", "devices", "user"} & set(service()) == set()


def test_the_image_is_named_by_the_version_and_built_from_here() -> None:
    assert service()["image"] == f"ariane:{PROJECT['version']}"
    assert service()["build"] == "."


def test_requests_under_way_may_end_before_it_is_killed() -> None:
    grace = re.fullmatch(r"(\d+)s", service()["stop_grace_period"])
    assert grace
    assert int(grace[1]) > SHUTDOWN_SECONDS
    assert service()["init"] is True  # or a signal before the server listens would be lost


def test_the_commands_that_the_page_runs_in_the_container_are_there() -> None:
    page = (REPOSITORY / "docs" / "operate.md").read_text(encoding="utf-8")
    (name,) = compose()["services"]
    calls = re.findall(rf"docker compose exec (?:-T )?{name} ariane ([^<`\n]+)", page)
    calls += re.findall(rf"docker run .* {service()['image']} ariane ([^`\n]+)", page)
    assert len(calls) >= 4
    assert [said for call in calls if (said := complaint(call.split("#")[0].split()))] == []


# What runs in it


def command() -> list[str]:
    """What the container runs, as it stands in the image."""
    (only,) = values("CMD")
    words: list[str] = json.loads(only)
    return words


def check() -> list[str]:
    """What tells whether the container is healthy."""
    (only,) = values("HEALTHCHECK")
    assert "curl" not in only
    words: list[str] = json.loads(only.partition(" CMD ")[2])
    return words


def inside(home: Path) -> dict[str, str]:
    """The environment of a command of the image, with this home instead of its own."""
    kept = {name: value for name, value in os.environ.items() if name != "ARIANE_HOME"}
    path = f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"
    proxy = {"http_proxy": "http://127.0.0.1:9"}  # which the check of health must not ask
    return kept | proxy | {"ARIANE_HOME": str(home), "OMP_NUM_THREADS": "1", "PATH": path}


@contextmanager
def started(home: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The container's command on a home, on a free port of this machine's own address."""
    *shell, script = command()
    assert ADDRESS in script
    script = script.replace(ADDRESS, "--host 127.0.0.1 --port 0")
    process = subprocess.Popen(
        [*shell, script], env=inside(home), cwd=home, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        found = (re.search(r"http://\S+", line) for line in process.stdout)
        url = next((match[0] for match in found if match), None)
        assert url, "it ended before it served"
        yield url, process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def healthy(port: str) -> int:
    """The status of the health check, asked at this port."""
    words = [word.replace("8000", port) for word in check()]
    assert words[0] == "python"
    return subprocess.run(
        [sys.executable, *words[1:]], check=False, capture_output=True, env=inside(Path())
    ).returncode


@pytest.mark.slow
def test_an_empty_home_is_made_and_served_and_says_that_nothing_is_trained(tmp_path: Path) -> None:
    with started(tmp_path) as (url, process):
        assert healthy(url.rpartition(":")[2]) == 0
        ready = httpx.get(f"{url}/v1/health/ready").json()
        assert ready == {"status": "ok", "model": "recent", "posts": 0, "unread": 0}
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in (0, -signal.SIGTERM)
        assert healthy(url.rpartition(":")[2]) != 0


@pytest.mark.slow
def test_a_home_that_is_there_is_served_as_it_is(tmp_path: Path) -> None:
    init(tmp_path, serve=ServeSettings())
    settings = (tmp_path / FILE).read_text(encoding="utf-8") + "\n# mine\n"
    (tmp_path / FILE).write_text(settings, encoding="utf-8")
    with started(tmp_path) as (url, _):
        assert httpx.get(f"{url}/v1/health/live").json() == {"status": "ok"}
    assert (tmp_path / FILE).read_text(encoding="utf-8") == settings


@pytest.mark.slow
def test_a_home_that_lets_anyone_sign_in_as_anyone_is_not_served_from_a_container(
    tmp_path: Path,
) -> None:
    (tmp_path / FILE).write_text("[serve]\nopen_accounts = true\n", encoding="utf-8")
    done = subprocess.run(
        command(), check=False, env=inside(tmp_path), cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "open_accounts" in done.stderr


def test_the_check_of_health_asks_the_port_that_the_command_serves() -> None:
    (port,) = values("EXPOSE")
    assert f"--port {port}" in command()[-1]
    assert f"'127.0.0.1', {port}" in check()[-1]
    assert "/v1/health/ready" in check()[-1]
