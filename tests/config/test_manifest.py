"""space.yaml is the single source of the Space's front matter and of the page's limits."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mvr.config.manifest import load_manifest, manifest_path, render_front_matter
from mvr.errors import UsageError


def write(tmp_path: Path, **parts: object) -> Path:
    hub = yaml.safe_load(manifest_path().read_text(encoding="utf-8"))["hub"]
    path = tmp_path / "space.yaml"
    path.write_text(yaml.safe_dump({"hub": hub, **parts}), encoding="utf-8")
    return path


def test_the_shipped_manifest_is_valid_and_renders_a_block_that_reads_back():
    manifest = load_manifest(environment={})
    block = render_front_matter(manifest)
    assert block.startswith("---\n") and block.endswith("---\n")
    values = yaml.safe_load(block.strip("-\n"))
    assert values["title"] == manifest.hub.title
    assert values["sdk_version"] == manifest.hub.sdk_version


def test_readme_starts_with_the_rendered_front_matter():
    readme = manifest_path().with_name("README.md")
    if readme.exists():
        assert readme.read_text(encoding="utf-8").startswith(
            render_front_matter(load_manifest(environment={}))
        )


def test_the_sdk_version_is_the_one_in_requirements():
    pins = manifest_path().with_name("requirements.txt").read_text(encoding="utf-8")
    assert f"gradio=={load_manifest(environment={}).hub.sdk_version}" in pins


def test_an_unknown_key_is_refused_by_name(tmp_path):
    with pytest.raises(UsageError, match=r"app\.max_uplod_mb"):
        load_manifest(write(tmp_path, app={"max_uplod_mb": 3}), environment={})


def test_a_value_out_of_range_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"app.alpha_default.*less than or equal to 1"):
        load_manifest(write(tmp_path, app={"alpha_default": 3}), environment={})


def test_the_environment_overrides_the_app_part():
    manifest = load_manifest(environment={"MVR_APP_MAX_UPLOAD_MB": "7", "OTHER": "x"})
    assert manifest.app.max_upload_mb == 7


def test_a_misspelt_override_is_refused():
    with pytest.raises(UsageError, match=r"app\.max_uplod"):
        load_manifest(environment={"MVR_APP_MAX_UPLOD": "7"})


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_manifest(tmp_path / "none.yaml", environment={})
