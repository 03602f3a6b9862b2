"""The one module that talks to Kaggle, through its own client library.

The library signs in while it is imported, prints what it has to say, and ends the process when there are no credentials; so it is
imported only where credentials are there, and what it prints is kept for the message of a failure.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from features.errors import InputError

if TYPE_CHECKING:
    import requests

MISSING = (
    "there are no Kaggle credentials. Set KAGGLE_API_TOKEN, or KAGGLE_USERNAME and KAGGLE_KEY, or put kaggle.json into ~/.kaggle/ "
    "(https://www.kaggle.com/settings/api makes both)"
)
_FILES = ("kaggle.json", "access_token", "access_token.txt", "credentials.json")
_SAID = {
    401: "Kaggle does not accept the credentials. Make a new token at https://www.kaggle.com/settings/api",
    403: "Kaggle refuses (403). Are the rules accepted? Join the competition, or accept its rules, at {page}, then run the command again",
    404: "Kaggle knows no {kaggle!r} (404). Compare data.source with the end of the page's address",
    429: "Kaggle asks to wait (429, too many requests). Run the command again in some minutes",
}


@dataclass(frozen=True)
class Asked:
    """What of Kaggle is asked for: a competition or data set, and its page."""

    kaggle: str
    page: str


@dataclass(frozen=True)
class State:
    """How far Kaggle is with a submission."""

    status: Literal["pending", "complete", "error"]
    score: float | None = None
    said: str = ""


def has_credentials(environment: Mapping[str, str] | None = None, home: Path | None = None) -> bool:
    """Whether credentials lie where the client library looks for them; they are not read here."""
    environment = os.environ if environment is None else environment
    home = home or Path.home()
    if environment.get("KAGGLE_API_TOKEN") or (environment.get("KAGGLE_USERNAME") and environment.get("KAGGLE_KEY")):
        return True
    own = environment.get("KAGGLE_CONFIG_DIR")
    general = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"
    folders = [home / ".kaggle", general, *([Path(own)] if own else [])]
    return any((folder / name).is_file() for folder in folders for name in _FILES)


class Kaggle:
    """The signed-in client library."""

    def __init__(self, api: Any) -> None:
        self._api = api

    @classmethod
    def sign_in(cls) -> Kaggle:
        """Import the client library and sign in.

        Raises
        ------
        InputError
            When there are no credentials, they are refused, the library is not installed, or there is no network.
        """
        if not has_credentials():
            raise InputError(f"{MISSING[0].upper()}{MISSING[1:]}.")
        import requests

        with _answered(Asked("", "https://www.kaggle.com")):
            try:
                api = importlib.import_module("kaggle.api.kaggle_api_extended").KaggleApi()
                api.authenticate()
            except ImportError as error:
                raise InputError(f"The Kaggle client library cannot be imported: {error}. Install it: pip install kaggle") from error
            except SystemExit as error:
                raise InputError(_SAID[401] + ".") from error
            except ValueError as error:
                if isinstance(error, requests.RequestException):
                    raise
                raise InputError(f"The Kaggle credentials cannot be read: {error}. Download kaggle.json again.") from error
        return cls(api)

    def files(self, asked: Asked) -> requests.PreparedRequest:
        """The request that downloads all files of a competition or a data set as one archive.

        Kaggle redirects to signed storage for some minutes; the request is the last one of that way, to be sent again for parts.
        """
        with _answered(asked), self._api.build_kaggle_client() as client:
            owner, slash, name = asked.kaggle.partition("/")
            if slash:
                types = importlib.import_module("kagglesdk.datasets.types.dataset_api_service")
                request = types.ApiDownloadDatasetRequest()
                request.owner_slug, request.dataset_slug = owner, name
                response = client.datasets.dataset_api_client.download_dataset(request)
            else:
                types = importlib.import_module("kagglesdk.competitions.types.competition_api_service")
                request = types.ApiDownloadDataFilesRequest()
                request.competition_name = owner
                response = client.competitions.competition_api_client.download_data_files(request)
            response.close()
            found: requests.PreparedRequest = response.request
        return found

    def submit(self, asked: Asked, path: Path, message: str) -> int:
        """Upload and enter a submission; gives its number at Kaggle.

        Raises
        ------
        InputError
            When it was not taken.
        """
        with _answered(asked) as printed:
            answer = self._api.competition_submit(str(path), message, asked.kaggle, quiet=True)
            if answer.message == self._api.COMPETITION_SUBMIT_UPLOAD_FAILED_MESSAGE:
                raise InputError(f"The upload of {path} to Kaggle failed{_of(printed)}. Nothing was entered; run the command again.")
        return int(answer.ref)

    def state(self, asked: Asked, number: int) -> State:
        """How far Kaggle is with a submission of this account."""
        with _answered(asked):
            listed = self._api.competition_submissions(asked.kaggle, page_size=100) or []
        found = next((entry for entry in listed if entry is not None and entry.ref == number), None)
        if found is None:
            return State("pending")
        status = found.status.name.lower()
        score = float(found.public_score) if found.public_score else None
        return State(status if status in ("complete", "error") else "pending", score, found.error_description or "")


@contextlib.contextmanager
def _answered(asked: Asked) -> Iterator[io.StringIO]:
    """Kaggle's refusals and the network's as messages; what the library prints is caught."""
    import requests

    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield printed
    except requests.HTTPError as error:
        raise InputError(_refusal(asked, error)) from error
    except requests.RequestException as error:
        raise InputError(f"Kaggle cannot be reached ({type(error).__name__}). Is there a network? Run the command again later.") from error


def _refusal(asked: Asked, error: requests.HTTPError) -> str:
    status = error.response.status_code if error.response is not None else 0
    # a body without JSON gives a sentence that repeats status and address
    said = "" if " for url: " in str(error) or not str(error) else f" Kaggle says: {str(error)[:300]!r}"
    if status in _SAID:
        return f"{_SAID[status].format(kaggle=asked.kaggle, page=asked.page)}.{said}"
    if 400 <= status < 500:
        return f"Kaggle refuses ({status}). See {asked.page}.{said}"
    return f"Kaggle answered with an error of its own ({status or error}). Run the command again later.{said}"


def _of(printed: io.StringIO) -> str:
    said = " ".join(printed.getvalue().split())
    return f" ({said[:300]})" if said else ""
