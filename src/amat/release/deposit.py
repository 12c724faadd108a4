# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""An archive brought to Zenodo as a draft of a deposit: what is published, and when, is decided by hand on its page."""

import dataclasses
import hashlib
import http.client
import json
import tarfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from amat.errors import AmatError
from amat.release.archive import DRAFT

__all__ = ["SANDBOX", "ZENODO", "Deposit", "deposit", "plan", "read_metadata"]

ZENODO = "https://zenodo.org"
#: Zenodo's place for trying things out; it has accounts and tokens of its own.
SANDBOX = "https://sandbox.zenodo.org"


@dataclasses.dataclass(frozen=True)
class Deposit:
    """A draft of a deposit.

    Parameters
    ----------
    identifier : int
        Its number.
    page : str
        Where it is looked through, and published by hand.
    """

    identifier: int
    page: str


def read_metadata(archive: Path) -> dict[str, Any]:
    """Return the metadata that an archive brings along for Zenodo.

    Raises
    ------
    AmatError
        If the file is none of the project's archives.
    """
    try:
        with tarfile.open(archive) as unpacked:
            for entry in unpacked:
                if entry.name.split("/")[1:] == [".zenodo.json"] and (file := unpacked.extractfile(entry)):
                    return dict(json.load(file))
    except (OSError, tarfile.TarError, ValueError) as error:
        raise AmatError(f"{archive} cannot be read: {error}. `amat archive` makes it.") from error
    raise AmatError(f"{archive} holds no .zenodo.json: `amat archive` makes one that does.")


def plan(archive: Path, server: str = ZENODO) -> list[str]:
    """Return the requests that `deposit` would send, for people to read.

    Raises
    ------
    AmatError
        If the archive is not fit to be deposited there.
    """
    metadata = _checked_metadata(archive, server)
    size = archive.stat().st_size
    return [
        f"POST {server}/api/deposit/depositions\n{{}}",
        f"PUT BUCKET/{archive.name}, BUCKET being what the answer calls links.bucket\n({size} bytes)",
        f"PUT {server}/api/deposit/depositions/ID, ID being the answer's id\n"
        + json.dumps({"metadata": metadata}, indent=2, ensure_ascii=False),
    ]


def deposit(
    archive: Path, token: str, server: str = ZENODO, *, progress: Callable[[str], None] = lambda _: None
) -> Deposit:
    """Make a draft of a deposit with an archive and its metadata; it is not published.

    Parameters
    ----------
    archive : pathlib.Path
    token : str
        Of an account there, with the scope ``deposit:write``. It is sent to `server` alone.
    server : str
        Without a slash at its end.
    progress : callable
        Is told what is being done.

    Raises
    ------
    AmatError
        If the archive is not fit to be deposited there, the server refuses a request or cannot be reached, or the file
        that arrived is another.

    References
    ----------
    https://developers.zenodo.org/#quickstart-upload
    """
    metadata = _checked_metadata(archive, server)
    depositions = f"{server}/api/deposit/depositions"
    progress("making the draft")
    made = _send("POST", depositions, token, server, json.dumps({}).encode())
    try:
        draft = Deposit(int(made["id"]), str(made["links"]["html"]))
        bucket = str(made["links"]["bucket"])
    except (KeyError, TypeError, ValueError) as error:
        raise AmatError(f"{server} gave an answer of another form ({error!r}): nothing was uploaded.") from error
    try:
        progress(f"uploading {archive.name}")
        address = f"{bucket}/{urllib.parse.quote(archive.name)}"
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "md5").hexdigest()
            file.seek(0)
            arrived = _send("PUT", address, token, server, file, length=archive.stat().st_size)
        if arrived.get("checksum") != f"md5:{digest}":
            raise AmatError(f"{archive.name} arrived with the checksum {arrived.get('checksum')}, not md5:{digest}.")
        progress("putting the metadata")
        described = json.dumps({"metadata": metadata}, ensure_ascii=False).encode()
        _send("PUT", f"{depositions}/{draft.identifier}", token, server, described)
    except AmatError as error:
        raise AmatError(f"{error} The draft is incomplete: discard it on {draft.page}, and try again.") from error
    return draft


def _checked_metadata(archive: Path, server: str) -> dict[str, Any]:
    if server == ZENODO and archive.name.removesuffix(".tar.gz").endswith(DRAFT):
        raise AmatError(
            f"{archive.name} is a draft: Zenodo is for what is fit to be published, its sandbox for drafts."
        )
    return read_metadata(archive)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Refuses to be sent elsewhere: the token would go along."""

    def redirect_request(self, *_: object) -> None:
        """Return nothing, which makes the redirection an error."""


def _send(
    method: str, address: str, token: str, server: str, content: bytes | IO[bytes], length: int | None = None
) -> Mapping[str, Any]:
    """Send a request, and return the answer's JSON."""
    if not address.startswith(f"{server}/"):
        raise AmatError(f"{server} names an address elsewhere, {address}: the token is not sent there.")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    if length is not None:
        headers |= {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
    request = urllib.request.Request(address, data=content, headers=headers, method=method)
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=600) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            told = error.read(2000).decode(errors="replace")
        hint = " The token lacks the scope deposit:write, or is of another server." if error.code in (401, 403) else ""
        raise AmatError(f"{method} {address} was answered by {error.code} {error.reason}: {told}.{hint}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise AmatError(f"{method} {address} failed: {error}.") from error
    if not isinstance(answer, dict):
        raise AmatError(f"{method} {address} gave an answer of another form.")
    return answer
