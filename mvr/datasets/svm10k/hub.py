"""Pushing a built set to the Hugging Face hub, private unless asked otherwise."""

from __future__ import annotations

from pathlib import Path

from mvr.datasets.svm10k.schema import no_set
from mvr.errors import MvrError
from mvr.lines import first_line

UPLOADED = ("README.md", "data/*.parquet")


def push(place: Path, repository: str, *, private: bool = True, token: str | None = None) -> str:
    """Create the dataset repository if needed and upload the card and the shards; returns the commit's address.

    Raises:
        DataError: nothing to upload. MvrError: the hub refuses or cannot be reached, in one sentence.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    if not list((place / "data").glob("*.parquet")):
        raise no_set(place)
    # The base of all that the hub's own HTTP library raises: httpx's or httpx2's, as huggingface_hub has it.
    http_error: type[Exception] = next(
        base for base in HfHubHTTPError.__mro__ if base.__name__ == "HTTPError"
    )
    api = HfApi(token=token)
    try:
        api.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repository,
            repo_type="dataset",
            folder_path=place,
            allow_patterns=list(UPLOADED),
            commit_message="Upload by mvr dataset push",
        )
    except OfflineModeIsEnabled as error:
        raise MvrError("HF_HUB_OFFLINE is set: unset it to push to the hub") from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise MvrError(f"the hub refused {repository}: {first_line(error)}") from error
    except http_error as error:
        raise MvrError(
            f"the hub cannot be reached: {first_line(error)}; try again with a connection"
        ) from error
    return str(commit.commit_url)
