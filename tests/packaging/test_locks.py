"""pyproject.toml, the locks and the requirements files say the same."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mvr.config.extras import LAST_PYTHON

ROOT = Path(__file__).parents[2]
LOCK = runpy.run_path(str(ROOT / ".ci" / "lock.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]


def pins(text: str) -> dict[str, str]:
    """Package -> version; one that differs between platforms or Pythons stands once per line and must agree."""
    found = re.findall(r"(?m)^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==([^\s;\\]+)", text)
    return {canonicalize_name(name): version for name, version in found}


def wanted(name: str) -> list[Requirement]:
    lists = [PROJECT["project"]["dependencies"]]
    if name != "core":
        full = Requirement(EXTRAS["full"][0]).extras
        lists += [EXTRAS[extra] for extra in full]
    if name == "dev":
        lists += [EXTRAS["ray"], PROJECT["dependency-groups"]["dev"]]
    return [Requirement(line) for lines in lists for line in lines]


@pytest.mark.parametrize("name", ["core", "full", "dev"])
def test_every_direct_dependency_is_locked_within_its_range(name):
    locked = pins((ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8"))
    assert len(wanted(name)) > 25
    for requirement in wanted(name):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), str(requirement)


@pytest.mark.parametrize("name", ["core", "full", "dev"])
def test_every_locked_file_has_a_hash(name):
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8"))
    assert all("--hash=sha256:" in entry for entry in entries if entry.strip())


@pytest.mark.parametrize("name", ["core", "full", "dev"])
def test_requirements_files_are_made_from_the_locks(name):
    file, _, purpose = LOCK["SETS"][name]
    lock = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8")
    assert (ROOT / file).read_text(encoding="utf-8") == LOCK["stripped"](lock, purpose)


def test_a_package_that_is_not_built_for_the_newest_python_is_asked_for_and_locked_below_it_only():
    """A marker of pyproject.toml, the sentence of the command, and the lock say the same."""
    newest = {"python_version": "3.14", "python_full_version": "3.14.0"}
    limited = [
        requirement
        for lines in EXTRAS.values()
        for requirement in map(Requirement, lines)
        if requirement.marker and not requirement.marker.evaluate(newest)
    ]
    out = {requirement.name for requirement in limited}
    assert set(LAST_PYTHON) == {"opentimelineio"} < out
    last = "{}.{}".format(*LAST_PYTHON["opentimelineio"])
    assert all(each.marker.evaluate({"python_version": last}) for each in limited)
    for name in ("full", "dev"):
        lock = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8")
        for package in map(canonicalize_name, out):
            assert re.search(rf"(?m)^{package}==\S+ ; python_full_version < '3\.14' ", lock), package


def test_the_core_brings_none_of_the_large_packages():
    locked = pins((ROOT / "locks" / "core.txt").read_text(encoding="utf-8"))
    large = {
        "torch",
        "torchvision",
        "transformers",
        "open-clip-torch",
        "datasets",
        "ray",
        "librosa",
        "numba",
        "moviepy",
    }
    assert not large & set(locked) and not any(name.startswith("nvidia") for name in locked)
    assert locked["gradio"] == pins((ROOT / "requirements.txt").read_text(encoding="utf-8"))["gradio"]


def test_make_installs_every_extra_by_its_name():
    """What lacks an extra says `make NAME`; `full` is what `make models` installs."""
    (line,) = re.findall(r"^EXTRAS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(line.split()) == set(EXTRAS) - {"models", "full"}
