# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""Upload of an archive to Zenodo as a draft deposit, which is published by hand on its page."""

import dataclasses
import hashlib
import http.client
import json
import lzma
import tarfile
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from amat.errors import AmatError
from amat.files import open_input
from amat.release.archive import DRAFT

__all__ = ["SANDBOX", "ZENODO", "Deposit", "deposit", "plan", "read_metadata"]

ZENODO = "https://zenodo.org"
#: Zenodo's test server, with separate accounts and tokens.
SANDBOX = "https://sandbox.zenodo.org"


@dataclasses.dataclass(frozen=True)
class Deposit:
    """A draft deposit.

    Attributes
    ----------
    identifier : int
        Its number.
    page : str
        Address of the page for reviewing and publishing it.
    """

    identifier: int
    page: str


def read_metadata(archive: Path) -> dict[str, Any]:
    """Return the metadata for Zenodo that an archive contains.

    Raises
    ------
    AmatError
        If the file is not an archive by `amat archive`.
    """
    try:
        with open_input(archive) as packed, tarfile.open(fileobj=packed) as unpacked:
            for entry in unpacked:
                if entry.name.split("/")[1:] == [".zenodo.json"] and (file := unpacked.extractfile(entry)):
                    return dict(json.load(file))
    except (OSError, EOFError, lzma.LZMAError, zlib.error, tarfile.TarError, TypeError, ValueError) as error:
        raise AmatError(f"{archive} cannot be read: {error}. Write it with `amat archive`.") from error
    raise AmatError(f"{archive} contains no .zenodo.json: write the archive with `amat archive`.")


def plan(archive: Path, server: str = ZENODO) -> list[str]:
    """Return a readable form of the requests that `deposit` would send.

    Raises
    ------
    AmatError
        If the archive cannot be deposited on the server.
    """
    metadata = _checked_metadata(archive, server)
    size = archive.stat().st_size
    return [
        f"POST {server}/api/deposit/depositions\n{{}}",
        f"PUT BUCKET/{archive.name}, where BUCKET is links.bucket of the response\n({size} bytes)",
        f"PUT {server}/api/deposit/depositions/ID, where ID is the id of the response\n"
        + json.dumps({"metadata": metadata}, indent=2, ensure_ascii=False),
    ]


def deposit(
    archive: Path, token: str, server: str = ZENODO, *, progress: Callable[[str], None] = lambda _: None
) -> Deposit:
    """Create a draft deposit with an archive and its metadata, without publishing it.

    Parameters
    ----------
    archive : pathlib.Path
    token : str
        Access token of the server with the scope ``deposit:write``. It is sent only to `server`.
    server : str
        Address without a final slash.
    progress : callable
        Function that is called with a description of each step.

    Raises
    ------
    AmatError
        If the archive cannot be deposited on the server, the server rejects a request or cannot be reached, or the
        uploaded file differs from the archive.

    References
    ----------
    https://developers.zenodo.org/#quickstart-upload
    """
    metadata = _checked_metadata(archive, server)
    depositions = f"{server}/api/deposit/depositions"
    progress("creating the draft")
    created = _send("POST", depositions, token, server, json.dumps({}).encode())
    try:
        draft = Deposit(int(created["id"]), str(created["links"]["html"]))
        bucket = str(created["links"]["bucket"])
    except (KeyError, TypeError, ValueError) as error:
        raise AmatError(f"{server} sent an unexpected response ({error!r}); nothing was uploaded.") from error
    try:
        progress(f"uploading {archive.name}")
        address = f"{bucket}/{urllib.parse.quote(archive.name)}"
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "md5").hexdigest()
            file.seek(0)
            uploaded = _send("PUT", address, token, server, file, length=archive.stat().st_size)
        if uploaded.get("checksum") != f"md5:{digest}":
            raise AmatError(
                f"{archive.name} has the checksum {uploaded.get('checksum')} on the server, not md5:{digest}."
            )
        progress("sending the metadata")
        described = json.dumps({"metadata": metadata}, ensure_ascii=False).encode()
        _send("PUT", f"{depositions}/{draft.identifier}", token, server, described)
    except AmatError as error:
        raise AmatError(f"{error} The draft is incomplete: discard it on {draft.page} and try again.") from error
    return draft


def _checked_metadata(archive: Path, server: str) -> dict[str, Any]:
    if server == ZENODO and archive.name.removesuffix(".tar.gz").endswith(DRAFT):
        raise AmatError(
            f"{archive.name} is a draft and cannot be published: send it to the sandbox, or write a complete archive."
        )
    return read_metadata(archive)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A handler that rejects redirections, which would send the token to another address."""

    def redirect_request(self, *_: object) -> None:
        """Return None, which makes the redirection an error."""


def _send(
    method: str, address: str, token: str, server: str, content: bytes | IO[bytes], length: int | None = None
) -> Mapping[str, Any]:
    """Send a request and return the JSON of the response."""
    if not address.startswith(f"{server}/"):
        raise AmatError(f"{server} refers to the address {address}, to which the token is not sent.")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    if length is not None:
        headers |= {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
    request = urllib.request.Request(address, data=content, headers=headers, method=method)
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=600) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            text = error.read(2000).decode(errors="replace")
        hint = " Use a token of this server with the scope deposit:write." if error.code in (401, 403) else ""
        raise AmatError(f"{method} {address} failed with {error.code} {error.reason}: {text}.{hint}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise AmatError(f"{method} {address} failed: {error}.") from error
    if not isinstance(answer, dict):
        raise AmatError(f"{method} {address} sent an unexpected response.")
    return answer
