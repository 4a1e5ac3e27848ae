from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sandport
from sandport import AuthError, ConfigError, ConnectionConfig, SandportError
from sandport._config import client_file_path
from sandport._values import format_digest, parse_digest, unix_seconds
from sandport._wire import output_text
from sandport._wire.commands import StreamedCommand
from sandport._wire.sse import Event, EventParser
from sandport.errors import ERROR_TABLE, error_from_answer


@pytest.fixture
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("SANDPORT_URL", raising=False)
    monkeypatch.delenv("SANDPORT_API_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def store_config(text: str) -> None:
    client_file_path().parent.mkdir(parents=True, exist_ok=True)
    client_file_path().write_text(text)


def test_looks_up_the_daemon_in_order(
    empty_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="sandport serve"):
        ConnectionConfig().resolve()
    store_config('{"url": "http://stored:1/", "api_key": "stored"}')
    found = ConnectionConfig().resolve()
    assert (found.url, found.api_key) == ("http://stored:1", "stored")
    assert "stored" not in repr(found).replace("http://stored:1", "")
    monkeypatch.setenv("SANDPORT_API_KEY", "from-env")
    assert ConnectionConfig().resolve().api_key == "from-env"
    monkeypatch.setenv("SANDPORT_URL", "http://env:2")
    assert ConnectionConfig().resolve().url == "http://env:2"
    explicit = ConnectionConfig("http://given:3/", "given").resolve()
    assert (explicit.url, explicit.api_key) == ("http://given:3", "given")


def test_never_sends_the_stored_key_elsewhere(empty_environment: Path) -> None:
    store_config('{"url": "http://stored:1", "api_key": "stored"}')
    assert ConnectionConfig("http://stored:1/").resolve().api_key == "stored"
    with pytest.raises(ConfigError, match="API key"):
        ConnectionConfig("http://other:1").resolve()


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8420",
        "ftp://x",
        "http://",
        "http://[::1",
        "http://x:99999",
        "http://u:p@x",
        "http://x?a=b",
    ],
)
def test_refuses_what_is_no_address(url: str) -> None:
    with pytest.raises(ConfigError, match="not the address"):
        ConnectionConfig(url, "key").resolve()


@pytest.mark.parametrize("key", ["secret\n", "sec ret", "sécret"])
def test_refuses_what_is_no_key_without_showing_it(key: str) -> None:
    with pytest.raises(ConfigError, match="API key") as caught:
        ConnectionConfig("http://x", key).resolve()
    assert "ret" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_says_what_is_wrong_with_the_stored_configuration(
    empty_environment: Path, text: str
) -> None:
    store_config(text)
    with pytest.raises(ConfigError, match=r"client\.json"):
        ConnectionConfig().resolve()


@pytest.mark.parametrize("code", sorted(ERROR_TABLE))
def test_every_code_has_its_class(code: str) -> None:
    row = ERROR_TABLE[code]
    body = {"error": "A sentence.", "code": code, "path": "/p", "more": 1}
    error = error_from_answer(row.status, json.dumps(body).encode(), "id")
    assert type(error) is row.error_class
    assert getattr(sandport, type(error).__name__) is row.error_class
    assert error.details == {"path": "/p", "more": 1}
    assert (error.retryable, error.advice, error.path) == (row.retryable, row.advice, "/p")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert copy.__dict__ == error.__dict__
    assert str(copy) == "A sentence."


@given(status=st.integers(300, 599), content=st.binary() | st.just(b'{"error": 7, "code": []}'))
def test_any_answer_makes_an_error(status: int, content: bytes) -> None:
    error = error_from_answer(status, content)
    assert isinstance(error, SandportError)
    assert error.status_code == status
    assert str(error)


def test_unknown_codes_take_the_class_of_the_status() -> None:
    assert type(error_from_answer(401, b'{"error": "x", "code": "brand_new"}')) is AuthError
    assert error_from_answer(401, b'{"error": "x", "code": "brand_new"}').code == "brand_new"


@given(st.binary(min_size=32, max_size=32))
def test_digests_survive_the_wire(sha256: bytes) -> None:
    assert parse_digest(format_digest(sha256)) == sha256
    assert parse_digest(f"sha-512=:AAAA:, {format_digest(sha256)}") == sha256


@pytest.mark.parametrize(
    "text", [None, "", "sha-256=::", "sha-256=:AAAA:", "md5=:AAAA:", "sha-256"]
)
def test_other_digests_are_none(text: str) -> None:
    assert parse_digest(text) is None


def test_times() -> None:
    assert unix_seconds("1970-01-01T00:00:01.5Z", 7) == 1.5
    assert unix_seconds("1970-01-01T00:00:01Z", 7) == 1.0
    assert unix_seconds("yesterday", 7) == 7.0
    assert unix_seconds(None, None) == 0.0


words = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)


@given(
    events=st.lists(st.tuples(words.filter(lambda text: text[0] != " "), words)),
    sizes=st.lists(st.integers(1, 9), min_size=1),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_events_do_not_depend_on_how_they_are_cut(
    events: List[tuple[str, str]], sizes: List[int], newline: str
) -> None:
    text = "".join(
        f": comment{newline}event: {name}{newline}data: {data}{newline}{newline}"
        for name, data in events
    )
    raw, parser, step = text.encode(), EventParser(), 0
    found: List[Event] = []
    while raw:
        size = sizes[step % len(sizes)]
        found.extend(parser.feed(raw[:size]))
        raw, step = raw[size:], step + 1
    assert found == [Event(name, data) for name, data in events]


@given(output=st.binary(max_size=60), sizes=st.lists(st.integers(1, 5), min_size=1))
def test_output_does_not_depend_on_how_it_is_cut(output: bytes, sizes: List[int]) -> None:
    seen: List[str] = []
    command, rest, step = StreamedCommand(seen.append), output, 0
    while rest:
        size = sizes[step % len(sizes)]
        piece = base64.b64encode(rest[:size]).decode()
        data = json.dumps({"chunk": "?", "chunk_base64": piece})
        command.handle(Event("stdout", data))
        rest, step = rest[size:], step + 1
    command.handle(Event("exit", '{"exit_code": 0}'))
    expected = output.decode("utf-8", "replace")
    assert command.result().stdout == "".join(seen) == expected


def test_kept_output_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_text, "MAX_KEPT_BYTES", 10)
    seen: List[str] = []
    command = StreamedCommand(seen.append)
    for _ in range(5):
        command.handle(Event("stdout", '{"chunk": "1234"}'))
    command.handle(Event("exit", '{"exit_code": 0}'))
    assert command.result().stdout == "1234123412"
    assert command.result().truncated
    assert "".join(seen) == "1234" * 5


def test_everything_public_is_there() -> None:
    for name in sandport.__all__:
        assert getattr(sandport, name) is not None
    assert "PermissionError" not in sandport.__all__
