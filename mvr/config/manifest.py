"""The deployment manifest `space.yaml`: Space metadata, the page's limits, what a host provides.

Hugging Face reads only the front matter of README.md, so that block is rendered from here:

    python -m mvr.config.manifest            prints it
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mvr.config.paths import resource
from mvr.errors import UsageError

ENV_PREFIX = "MVR_APP_"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HubManifest(_Part):
    """Front matter that Spaces read, in its order (huggingface.co/docs/hub/spaces-config-reference)."""

    title: str
    emoji: str
    colorFrom: Literal["red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"]
    colorTo: Literal["red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"]
    sdk: Literal["gradio", "docker", "static"]
    sdk_version: str
    python_version: str
    app_file: str
    license: str
    short_description: str = Field(max_length=60)
    hf_oauth: bool = False
    hf_oauth_expiration_minutes: int = Field(default=480, ge=1, le=43200)
    disable_embedding: bool = False
    startup_duration_timeout: str = "30m"
    models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    preload_from_hub: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class AppManifest(_Part):
    """Limits and defaults of the page."""

    max_upload_mb: int = Field(default=500, ge=1)
    visitor_upload_mb: int = Field(default=4000, ge=1)
    all_upload_mb: int = Field(default=20000, ge=1)
    max_video_s: float = Field(default=600, gt=0)
    max_music_s: float = Field(default=1200, gt=0)
    queue_size: int = Field(default=32, ge=1)
    embed_jobs: int = Field(default=2, ge=1)
    requests_per_minute: int = Field(default=600, ge=1)
    results: int = Field(default=10, ge=1, le=50)
    alpha_default: float | None = Field(default=None, ge=0, le=1)  # None: what the system's card says
    retention_minutes: float = Field(default=60, gt=0)
    listen_ms: int = Field(default=5000, ge=500)


class VolumeManifest(_Part):
    """A bucket or dataset mounted into the Space."""

    type: Literal["bucket", "dataset"]
    source: str
    mount: str
    read_only: bool = True


class ResourceManifest(_Part):
    """What the host provides; secrets by name only."""

    hardware: str = "cpu-basic"
    volumes: tuple[VolumeManifest, ...] = ()
    variables: dict[str, str] = Field(default_factory=dict)
    secrets: tuple[str, ...] = ()


class Manifest(_Part):
    """The whole of `space.yaml`."""

    hub: HubManifest
    app: AppManifest = AppManifest()
    resources: ResourceManifest = ResourceManifest()


def manifest_path() -> Path:
    """`space.yaml`, wherever this installation has it."""
    return resource("space.yaml")


def load_manifest(path: Path | None = None, environment: dict[str, str] | None = None) -> Manifest:
    """Read and validate the manifest; `MVR_APP_*` variables override keys of `app`.

    Args:
        path: the file; `space.yaml` of the checkout by default.
        environment: where overrides are looked up; the process's environment by default.

    Raises:
        UsageError: a missing file, an unknown key or a value out of range; names the key.
    """
    path = path or manifest_path()
    try:
        values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        values = {**values, "app": {**values.get("app", {}), **_overrides(environment)}}
        return Manifest.model_validate(values)
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"the manifest {path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path.name}: {key}: {first['msg']} (got {first['input']!r})") from error


def _overrides(environment: dict[str, str] | None) -> dict[str, str]:
    environment = dict(os.environ) if environment is None else environment
    return {
        key.removeprefix(ENV_PREFIX).lower(): value
        for key, value in environment.items()
        if key.startswith(ENV_PREFIX)
    }


def render_front_matter(manifest: Manifest) -> str:
    """The block between `---` lines that README.md starts with; keys at their default are left out."""
    values = manifest.hub.model_dump(mode="json", exclude_defaults=True)
    body = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=200)
    return f"---\n{body}---\n"


if __name__ == "__main__":
    sys.stdout.write(render_front_matter(load_manifest()))
