"""AudioSet's labels: the tree, both forms of segment tables, and a split that keeps shares and groups."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvr.datasets.audioset import (
    LabelledClip,
    Level,
    Ontology,
    balanced_split,
    class_counts,
    labels_for,
    music_labels,
    read_segments,
)
from mvr.errors import DataError


def entry(mid: str, name: str, *children: str) -> dict[str, object]:
    return {"id": mid, "name": name, "child_ids": list(children)}


TREE = [
    entry("/m/music", "Music", "/m/genre", "/m/mood", "/m/instrument"),
    entry("/m/genre", "Music genre", "/m/rock", "/m/jazz"),
    entry("/m/rock", "Rock music", "/m/punk"),
    entry("/m/punk", "Punk; rock"),
    entry("/m/jazz", "Jazz"),
    entry("/m/mood", "Music mood", "/m/sad"),
    entry("/m/sad", "Sad music"),
    entry("/m/instrument", "Musical instrument", "/m/harp"),
    entry("/m/harp", "Harp"),
    entry("/m/dog", "Dog"),
]
CLIPS = [
    LabelledClip(ytid="a", start_s=30, mids=("/m/punk", "/m/sad")),
    LabelledClip(ytid="b", start_s=0, mids=("/m/dog",)),
    LabelledClip(ytid="c", start_s=10.5, mids=("/m/harp", "/m/jazz", "/m/rock")),
]


def test_a_clip_is_music_when_a_label_lies_below_music() -> None:
    assert music_labels(CLIPS, Ontology(TREE))["id"].to_pylist() == ["a_30", "c_10.5"]


def test_a_fine_label_counts_for_the_direct_child_above_it() -> None:
    table = music_labels(CLIPS, Ontology(TREE), Level.DIRECT)
    assert table["genre"].to_pylist() == [["Rock music"], ["Rock music", "Jazz"]]
    assert table["mood"].to_pylist() == [["Sad music"], []]
    assert table["instrument"].to_pylist() == [[], ["Harp"]]


def test_with_all_levels_a_label_counts_for_every_class_on_its_way_up() -> None:
    table = music_labels(CLIPS, Ontology(TREE), Level.ALL)
    assert table["genre"].to_pylist()[0] == ["Rock music", "Punk, rock"]
    assert class_counts(table, "genre") == {"Rock music": 2, "Jazz": 1, "Punk, rock": 1}


def test_both_forms_of_segment_tables_give_the_same_clips(tmp_path: Path) -> None:
    published = tmp_path / "balanced_train_segments.csv"
    published.write_text(
        "# Segments csv created Sun Mar  5 10:54:31 2017\n# YTID, start_seconds, end_seconds, positive_labels\n"
        'a, 30.000, 40.000, "/m/punk,/m/sad"\nb, 0.000, 10.000, "/m/dog"\n'
    )
    index = tmp_path / "classes.csv"
    index.write_text('index,mid,display_name\n0,/m/dog,"Dog"\n1,/m/punk,"Punk"\n2,/m/sad,"Sad"\n')
    numbered = tmp_path / "numbered.csv"
    numbered.write_text("ytid,start_s,label_indices,is_music\na,30,1 2,1\nb,0,0,0\n")
    assert read_segments(published) == read_segments(numbered, index) == CLIPS[:2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no segment"),
        ("a,b\n", "not a segment"),
        ("ytid,start_s,label_indices\na,0,1\n", "--classes"),
    ],
)
def test_a_table_of_another_form_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_segments(path)


def test_a_file_that_is_no_ontology_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ontology.json").write_text(json.dumps([{"id": 1}]))
    with pytest.raises(DataError, match="ontology"):
        Ontology.read(tmp_path / "ontology.json")


def test_labels_are_matched_by_clip_and_else_by_video() -> None:
    table = music_labels(CLIPS, Ontology(TREE))
    assert labels_for(["c", "a_30", "x"], table, ["genre"]) == {
        "genre": [["Rock music", "Jazz"], ["Rock music"], []]
    }


rows = st.lists(
    st.tuples(st.integers(0, 40), st.sets(st.sampled_from(["rock", "jazz", "folk"]))),
    min_size=1,
    max_size=120,
)


@given(rows, st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_a_group_is_never_on_two_sides_of_a_split(items: list[tuple[int, set[str]]], seed: int) -> None:
    table = pa.table(
        {
            "group": [f"g{g}" for g, _ in items],
            "genre": pa.array([sorted(s) for _, s in items], pa.list_(pa.string())),
        }
    )
    parts = balanced_split(table, "genre", {"train": 0.8, "val": 0.1, "test": 0.1}, seed)
    sides: dict[str, set[str]] = {}
    for group, part in zip(table["group"].to_pylist(), parts, strict=True):
        sides.setdefault(group, set()).add(part)
    assert all(len(found) == 1 for found in sides.values())


def test_every_class_has_its_share_of_every_part() -> None:
    labels = [["rock"]] * 600 + [["jazz"]] * 100 + [["folk", "rock"]] * 20
    table = pa.table({"group": [f"g{i}" for i in range(720)], "genre": pa.array(labels)})
    parts = balanced_split(table, "genre", {"train": 0.5, "test": 0.5}, seed=1)
    per_class = Counter((label, p) for row, p in zip(labels, parts, strict=True) for label in row)
    for label, count in {"rock": 620, "jazz": 100, "folk": 20}.items():
        assert abs(per_class[label, "test"] - count / 2) <= 1


@pytest.mark.real_data
def test_the_published_ontology_has_25_and_65_genres_and_the_balanced_part_8836_music_clips(
    shared: Path,
) -> None:
    folder = shared / "data" / "audioset"
    ontology = Ontology.read(folder / "ontology.json")
    assert len(ontology.classes("genre", Level.DIRECT)) == 25
    assert len(ontology.classes("genre", Level.ALL)) == 65
    clips = read_segments(folder / "bal_train_all_labels.csv", folder / "class_labels_indices.csv")
    table = music_labels(clips, ontology, Level.ALL)
    parts = balanced_split(table, "genre", {"train": 0.8, "val": 0.1, "test": 0.1})
    for name, count in class_counts(table, "genre").items():
        held = sum(
            name in row and p == "test" for row, p in zip(table["genre"].to_pylist(), parts, strict=True)
        )
        print(f"{name:35s} {count:5d} {held:5d}")
        assert abs(held - count / 10) <= max(3, 0.05 * count)
    assert abs(table.num_rows - 8836) < 100
