"""The gallery with media beside it: relative, quoted addresses, nothing copied, nothing run."""

from __future__ import annotations

import numpy as np

from eval.retrieval.gallery import Gallery, write_gallery
from mvr.datatypes import BranchedEmbeddings
from mvr.metrics.retrieval.measure import Embedded
from mvr.metrics.retrieval.plan import TestSet


def test_media_named_after_the_ids_are_played(tmp_path):
    media = tmp_path / "my media"
    media.mkdir()
    for name in ("a&b.mp4", "a&b.m4a", "c.mp3", "notes.txt"):
        (media / name).write_bytes(b"")
    (tmp_path / "out").mkdir()
    vectors = np.eye(4, dtype=np.float32)[:, None, :]
    side = BranchedEmbeddings(vectors=vectors, branches=("ssl",))
    tests = TestSet(
        ids=["a&b", "c", '"><script>', "d"], groups=list("abcd"), labels={"genre": [["x<y"], [], [], []]}
    )
    system = Embedded(system="ours", video=side, audio=side)
    write_gallery([system], tests, Gallery(title="T & U", media=media), tmp_path / "out" / "gallery.html")
    page = (tmp_path / "out" / "gallery.html").read_text()
    assert 'src="../my%20media/a%26b.mp4"' in page and 'src="../my%20media/c.mp3"' in page
    assert "<script>" not in page and "x&lt;y" in page and "T &amp; U" in page
    assert "notes" not in page
    assert page.count("<video") > 0 and page.count('preload="none"') == page.count("<video") + page.count(
        "<audio"
    )
