"""The heads that ship say what made them in words that stay true: no commit, but release, command, hashes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from mvr.config.settings import canonical_json
from mvr.heads import load_head
from mvr.heads.file import read_head_facts

HEADS = sorted(
    path
    for path in (Path(__file__).parents[2] / "assets" / "heads").glob("*.safetensors")
    if not path.stem.endswith(".reference")
)


@pytest.mark.parametrize("path", HEADS, ids=lambda path: path.stem)
def test_a_shipped_head_names_no_commit_and_its_recipe_by_hash(path: Path):
    facts = read_head_facts(path)["metadata"]
    assert "git_revision" not in facts
    made = facts["made_by"]
    assert made["version"] == "0.1.0" and made["command"].startswith("mvr train ")
    assert made["recipe_sha256"] == hashlib.sha256(canonical_json(facts["recipe"]).encode()).hexdigest()
    assert load_head(path).kind


def test_all_shipped_heads_are_looked_at():
    assert [path.stem for path in HEADS] == ["bridge-mini", "control-mvr-mini", "mvbind-mini"]


def test_the_hash_of_the_sources_does_not_depend_on_history_or_place(tmp_path: Path):
    import shutil

    import mvr
    from mvr.training.provenance import made_by

    package = Path(mvr.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__", "page", "assets")
    copy = tmp_path / "mvr"
    shutil.copytree(package, copy, ignore=ignored)
    script = "from mvr.training.provenance import made_by; print(made_by('cca', {})['code_sha256'])"

    def elsewhere() -> str:
        run = [sys.executable, "-c", script]
        done = subprocess.run(
            run, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert elsewhere() == made_by("cca", {})["code_sha256"]
    (copy / "heads" / "rows.py").write_text((copy / "heads" / "rows.py").read_text() + "\n# changed\n")
    assert elsewhere() != made_by("cca", {})["code_sha256"]
