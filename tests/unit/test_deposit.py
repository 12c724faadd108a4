# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests for a Zenodo deposit, received by a local server. Zenodo itself is not tested."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from amat.errors import AmatError
from amat.release.archive import Member, pack
from amat.release.deposit import SANDBOX, ZENODO, deposit, plan

TOKEN = "secret-of-the-test"
METADATA = {"title": "Größe", "upload_type": "software"}


class Server(ThreadingHTTPServer):
    """A server that records requests and responds as in Zenodo's documentation, unless `answers` has a response."""

    def __init__(self):
        self.requests = []
        self.answers = {}
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        server.requests.append((self.command, self.path, dict(self.headers), content))
        links = {"bucket": f"{server.address}/api/files/b-1", "html": f"{server.address}/deposit/7"}
        usual = {
            "/api/deposit/depositions": (201, {"id": 7, "links": links}),
            "/api/files/b-1/amat-1-c0ffee.tar.gz": (201, {"checksum": f"md5:{hashlib.md5(content).hexdigest()}"}),
            "/api/deposit/depositions/7": (200, {"id": 7}),
        }
        status, value = server.answers.get(self.path, usual.get(self.path, (404, {})))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"{server.address}/api/deposit/depositions/7")
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *arguments):
        """Print nothing."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "amat-1-c0ffee.tar.gz"
    inside = {".zenodo.json": json.dumps(METADATA), "deep/.zenodo.json": "{}", ".ci/run": ""}
    pack(path, "amat-1", {name: Member(text.encode()) for name, text in inside.items()}, 0)
    return path


def test_draft_file_and_metadata_are_sent_and_nothing_is_published(server, archive):
    draft = deposit(archive, TOKEN, server.address)
    assert (draft.identifier, draft.page) == (7, f"{server.address}/deposit/7")
    assert [request[:2] for request in server.requests] == [
        ("POST", "/api/deposit/depositions"),
        ("PUT", "/api/files/b-1/amat-1-c0ffee.tar.gz"),
        ("PUT", "/api/deposit/depositions/7"),
    ]
    contents = [request[3] for request in server.requests]
    assert contents[0] == b"{}"
    assert contents[1] == archive.read_bytes()
    assert json.loads(contents[2]) == {"metadata": METADATA}
    for _, path, headers, content in server.requests:
        assert headers["Authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in path
        assert TOKEN.encode() not in content


@pytest.mark.parametrize(
    ("path", "answer", "message", "sent"),
    [
        ("/api/deposit/depositions", (401, {"message": "no"}), "401 .*with the scope", 1),
        ("/api/deposit/depositions", (200, [1]), "unexpected response", 1),
        ("/api/deposit/depositions", (200, {"id": 7}), "unexpected response .*nothing was uploaded", 1),
        ("/api/deposit/depositions", (302, {}), "302", 1),
        (
            "/api/deposit/depositions",
            (201, {"id": 7, "links": {"bucket": "http://elsewhere.invalid/b", "html": "page"}}),
            "elsewhere.*token is not sent.*discard it on page",
            1,
        ),
        ("/api/files/b-1/amat-1-c0ffee.tar.gz", (201, {"checksum": "md5:0"}), "has the checksum md5:0 .*incomplete", 2),
        ("/api/deposit/depositions/7", (400, {"message": "bad licence"}), "bad licence.*incomplete", 3),
    ],
)
def test_rejected_requests_are_reported_and_end_the_upload(server, archive, path, answer, message, sent):
    server.answers[path] = answer
    with pytest.raises(AmatError, match=f"(?s){message}") as caught:
        deposit(archive, TOKEN, server.address)
    assert len(server.requests) == sent
    assert TOKEN not in str(caught.value)


def test_unreachable_server_is_reported(server, archive):
    with pytest.raises(AmatError, match="failed"):
        deposit(archive, TOKEN, "http://127.0.0.1:9")


def test_drafts_go_to_the_sandbox_only(archive):
    draft = archive.with_name("amat-1-c0ffee-draft.tar.gz")
    archive.rename(draft)
    with pytest.raises(AmatError, match="is a draft"):
        plan(draft, ZENODO)
    assert plan(draft, SANDBOX)[0].startswith(f"POST {SANDBOX}/api/deposit/depositions")


def test_command_only_shows_the_requests_by_default(run_amat, archive):
    finished = run_amat("deposit", archive, ZENODO_TOKEN=TOKEN, https_proxy="http://127.0.0.1:9")
    assert finished.returncode == 0, finished.stderr
    assert f"POST {ZENODO}/api/deposit/depositions" in finished.stdout
    assert '"title": "Größe"' in finished.stdout
    assert "Nothing was sent" in finished.stdout
    assert TOKEN not in finished.stdout + finished.stderr


def test_sending_needs_a_token(run_amat, archive):
    finished = run_amat("deposit", archive, "--send", ZENODO_TOKEN="")
    assert finished.returncode == 1
    assert "ZENODO_TOKEN is not set" in finished.stderr


@pytest.mark.parametrize("content", [b"no archive", b"\x1f\x8b\x08", None])
def test_files_that_are_not_archives_are_rejected(tmp_path, content):
    path = tmp_path / "other.tar.gz"
    if content is None:
        pack(path, "top", {"file": Member(b"")}, 0)
    else:
        path.write_bytes(content)
    with pytest.raises(AmatError, match="with `amat archive`"):
        plan(path)
