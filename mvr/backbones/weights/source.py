"""Where published weights come from: repository or URL, revision, size, digest, licence.

None of these files ship with the project. Revisions, sizes and digests are second-hand, from public projects that
pinned the same files (2026-11; each digest was seen in one project only); no file was at hand to hash here, so a
mismatch is reported with both digests and never ignored. A digest of 64 hexadecimal digits is a SHA-256, one of 40
the SHA-1 of a git blob (a hub's name for small files).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.config.extras import need
from mvr.config.paths import home_dir
from mvr.errors import UsageError

if TYPE_CHECKING:
    from mvr.config.cards import Commercial

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
_HUB = "https://huggingface.co"
_ON_THE_PAGE = "see the model's page"


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """One file of a set of weights; size and digest are None where nobody wrote them down."""

    name: str
    url: str = ""  # empty: NAME in the source's repository
    size_bytes: int | None = None
    digest: str | None = None


@dataclass(frozen=True, kw_only=True)
class WeightsSource:
    """A set of weights under one licence.

    Attributes:
        name: what `status`, `fetch_weights` and `accept_licence` call it.
        repo, revision: on a hub that speaks the Hugging Face protocol; empty for plain URLs.
    """

    name: str
    title: str
    licence: str
    licence_url: str
    noncommercial: bool
    files: tuple[WeightsFile, ...]
    repo: str = ""
    revision: str = "main"

    @property
    def commercial(self) -> Commercial:
        """Whether one may earn money with what these weights give; unknown where the licence is on a page to read."""
        from mvr.config.cards import Commercial

        if self.licence == _ON_THE_PAGE:
            return Commercial.UNKNOWN
        return Commercial.NO if self.noncommercial else Commercial.YES

    @property
    def size_bytes(self) -> int:
        """Known bytes of all files."""
        return sum(file.size_bytes or 0 for file in self.files)

    @property
    def folder(self) -> Path:
        """Where the files lie on this machine."""
        return home_dir() / "weights" / self.name.replace("/", "--").replace(":", "--")

    def url(self, file: WeightsFile) -> str:
        """Where one file is downloaded from; `HF_ENDPOINT` replaces the hub's address."""
        if file.url:
            return file.url
        endpoint = (os.environ.get("HF_ENDPOINT") or _HUB).rstrip("/")
        return f"{endpoint}/{self.repo}/resolve/{self.revision}/{file.name}"


_CC_BY_NC = "https://creativecommons.org/licenses/by-nc/4.0/"
_CC_BY_NC_SA = "https://creativecommons.org/licenses/by-nc-sa/4.0/"

IMAGEBIND = WeightsSource(
    name="imagebind",
    title="ImageBind huge",
    licence="CC BY-NC-SA 4.0",
    licence_url=_CC_BY_NC_SA,
    noncommercial=True,
    files=(
        WeightsFile(
            name="imagebind_huge.pth",
            url="https://dl.fbaipublicfiles.com/imagebind/imagebind_huge.pth",
            size_bytes=4_803_584_173,
            digest="d6f6c22bedcc90708448d5d2fbb7b2db9c73f505dc89bd0b2e09b23af1b62157",
        ),
    ),
)
MERT_95M = WeightsSource(
    name="mert-95m",
    title="MERT-v1-95M",
    licence="CC BY-NC 4.0",
    licence_url=_CC_BY_NC,
    noncommercial=True,
    repo="m-a-p/MERT-v1-95M",
    revision="12af15fef9d0ac838c3f475bfbbf26d2060dd4f5",
    files=(
        WeightsFile(name="config.json", size_bytes=1_817, digest="8061aff2203f5caeb5c58628dba945de3ef71079"),
        WeightsFile(
            name="preprocessor_config.json", size_bytes=211, digest="12d419697ffa30069405b3ace413be9a997e9f7f"
        ),
        WeightsFile(
            name="pytorch_model.bin",
            size_bytes=377_552_987,
            digest="a2b8b747f72c06e0595aeae41ae5473f4364938c6b39b2c58be38c48e6bd3fcd",
        ),
    ),
)
CLIP_B32 = WeightsSource(
    name="clip:ViT-B-32/openai",
    title="CLIP ViT-B-32 (openai)",
    licence="MIT",
    licence_url=f"{_HUB}/timm/vit_base_patch32_clip_224.openai",
    noncommercial=False,
    repo="timm/vit_base_patch32_clip_224.openai",
    revision="a6f597a30f7b82c51704746581f9a4e41421e878",
    files=(
        WeightsFile(
            name="open_clip_model.safetensors",
            digest="e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31",
        ),
    ),
)
PE_CORE_S = WeightsSource(
    name="clip:PE-Core-S-16-384/meta",
    title="PE-Core-S-16-384 (meta)",
    licence="Apache-2.0",
    licence_url=f"{_HUB}/timm/PE-Core-S-16-384",
    noncommercial=False,
    repo="timm/PE-Core-S-16-384",
    revision="3249a38eb1c432ec19231c6fe1774acb6a4e4efe",
    files=(
        WeightsFile(name="open_clip_model.safetensors"),
    ),  # 349 MB; nobody wrote down its digest, the hub declares it
)
# Not larger_clap_music: its text tower gives nearly one vector for all words (cosine .9993 between unrelated ones,
# https://github.com/embeddings-benchmark/mteb/issues/5069), and its tracks lie close together as well.
CLAP_GENERAL = WeightsSource(
    name="clap-general",
    title="LAION CLAP (larger_clap_general)",
    licence="Apache-2.0",
    licence_url=f"{_HUB}/laion/larger_clap_general",
    noncommercial=False,
    repo="laion/larger_clap_general",
    revision="ada0c23a36c4e8582805bb38fec3905903f18b41",
    files=(
        WeightsFile(
            name="config.json",
            size_bytes=643,
            digest="6268f76a067e3104bf9001e97d7dcc0fcfb16f3086cfb478ee72d95900d7fc1d",
        ),
        WeightsFile(
            name="preprocessor_config.json",
            size_bytes=541,
            digest="9739f58296aa6f9ac18008fd0150fb2649bc554985fbde86d0a4041c882ac753",
        ),
        WeightsFile(
            name="vocab.json",
            size_bytes=798_293,
            digest="ed19656ea1707df69134c4af35c8ceda2cc9860bf2c3495026153a133670ab5e",
        ),
        WeightsFile(
            name="merges.txt",
            size_bytes=456_318,
            digest="1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
        ),
        WeightsFile(
            name="pytorch_model.bin",
            size_bytes=776_444_665,
            digest="314eb00cce6ad68d25237b8446b659ccdb136ed4672c1bca470f142f72455026",
        ),
    ),
)
# The revision stands in two public projects (mteb 2.26 among them); nobody wrote down sizes and digests of its files.
PEAV_SMALL = WeightsSource(
    name="peav-small",
    title="PE-AV small, 16 frames",
    licence="Apache-2.0",
    licence_url=f"{_HUB}/facebook/pe-av-small-16-frame",
    noncommercial=False,
    repo="facebook/pe-av-small-16-frame",
    revision="9f888eea95c83622212bb742e91bf01d3b46fe96",
    files=tuple(
        WeightsFile(name=name)
        for name in ("config.json", "processor_config.json", *TOKENIZER_FILES, "model.safetensors")
    ),
)
_MIT_TAGS = ("openai", "laion400m", "laion2b", "laion5b", "datacomp_", "commonpool_")
_APACHE_MODELS = ("PE-Core-", "-SigLIP2")  # in the name of the hub's repository, whose page says so
_FIXED = {
    source.name: source for source in (IMAGEBIND, MERT_95M, CLIP_B32, PE_CORE_S, CLAP_GENERAL, PEAV_SMALL)
}


def clip_source(architecture: str, tag: str) -> WeightsSource:
    """The weights that open_clip publishes as (architecture, pretrained tag).

    A tag whose licence is not known here counts as non-commercial: its hub page has to be read and accepted. Its
    revision is the hub's newest, whose digest the hub declares.

    Raises:
        UsageError: a pair that open_clip does not know, or that has no file on a hub.
    """
    name = f"clip:{architecture}/{tag}"
    if name in _FIXED:
        return _FIXED[name]
    need("open_clip", f"to know the weights {name!r}", "models")
    import open_clip

    known = open_clip.list_pretrained_tags_by_model(architecture)
    repo = str(open_clip.get_pretrained_cfg(architecture, tag).get("hf_hub", "")).strip("/")
    if tag not in known or not repo:
        raise UsageError(
            f"open_clip has no weights {tag!r} for {architecture!r}; choose from {', '.join(known)}"
        )
    owner, model, *inside = repo.split("/")
    licence = _ON_THE_PAGE
    if owner == "timm" and any(part in model for part in _APACHE_MODELS):
        licence = "Apache-2.0"
    elif tag.startswith(_MIT_TAGS):
        licence = "MIT"
    return WeightsSource(
        name=name,
        title=f"CLIP {architecture} ({tag})",
        licence=licence,
        licence_url=f"{_HUB}/{owner}/{model}",
        noncommercial=licence == _ON_THE_PAGE,
        repo=f"{owner}/{model}",
        files=(
            WeightsFile(name="/".join(inside) or "open_clip_model.safetensors"),
            *_words(architecture, repo),
        ),
    )


def _words(architecture: str, repo: str) -> tuple[WeightsFile, ...]:
    """The tokenizer, where the architecture's own lies beside the weights (SigLIP), not inside open_clip."""
    import open_clip

    config = open_clip.get_model_config(architecture) or {}
    beside = config.get("text_cfg", {}).get("hf_tokenizer_name") == repo
    return tuple(WeightsFile(name=name) for name in TOKENIZER_FILES) if beside else ()


def weights_source(name: str) -> WeightsSource:
    """The source called `imagebind`, `mert-95m`, `clap-general`, `peav-small` or `clip:ARCHITECTURE/TAG`.

    Raises:
        UsageError: an unknown name.
    """
    if name.startswith("clip:") and "/" in name:
        architecture, _, tag = name.removeprefix("clip:").partition("/")
        return clip_source(architecture, tag)
    if name not in _FIXED:
        raise UsageError(f"unknown weights {name!r}; choose from {', '.join(_FIXED)}, clip:ARCHITECTURE/TAG")
    return _FIXED[name]
