"""A treemap: every file has its area, nothing overlaps, and what is too small shares a tile."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverage_tasks.reports.portal.treemap import DEEPEST, Leaf, Treemap
from coverage_tasks.results.lines import Share


def treemap(sizes, smallest=0.0):
    leaves = [Leaf(path, size, Share(size // 2, size)) for path, size in sizes.items()]
    return Treemap.of_files(leaves, 1200, 600, smallest)


def overlap(one, other):
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return min(width, height)


def test_area_is_statements():
    found = treemap({"a.py": 100, "b.py": 200, "c.py": 300})
    areas = {tile.path: tile.box.width * tile.box.height for tile in found.tiles}
    assert areas == pytest.approx({"a.py": 120_000, "b.py": 240_000, "c.py": 360_000})


def test_a_directory_is_a_frame_named_as_seen_from_the_one_around_it():
    found = treemap({"src/api/a.py": 50, "src/api/b.py": 50, "src/c.py": 60, "libs/deep/d.py": 30, "libs/deep/e.py": 9})
    assert {frame.name for frame in found.frames} == {"src", "api", "libs/deep"}
    assert {tile.name for tile in found.tiles} == {"a.py", "b.py", "c.py", "d.py", "e.py"}


def test_a_directory_with_one_file_needs_no_frame():
    found = treemap({"a/only.py": 10, "b.py": 10})
    assert found.frames == []
    assert {tile.name for tile in found.tiles} == {"a/only.py", "b.py"}


def test_small_files_of_a_directory_share_a_tile():
    sizes = {"a/big.py": 900, **{f"a/small{n}.py": 1 for n in range(50)}, **{f"b/c/s{n}.py": 1 for n in range(50)}}
    found = {tile.path: tile for tile in treemap(sizes, 1 / 100).tiles}
    assert set(found) == {"a/big.py", "a", "b/c"}
    assert (found["a"].files, found["a"].size, found["a"].value) == (50, 50, Share(0, 50))
    assert (found["a"].name, found["b/c"].name) == ("", "b/c")


def test_files_without_statements_and_no_files_make_no_map():
    assert treemap({}).tiles == treemap({"a/__init__.py": 0}).tiles == []


def test_very_deep_directories_are_shown_flat():
    sizes = {f"{'d/' * depth}f{depth}.py": 1 for depth in range(1500)}
    found = treemap(sizes)
    assert sum(tile.size for tile in found.tiles) == 1500
    assert len(found.frames) <= DEEPEST


paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)


@given(st.dictionaries(paths.map(lambda path: path + "/f.py"), st.integers(0, 500), max_size=30), st.floats(0, 0.3))
def test_all_statements_are_somewhere_and_nothing_overlaps(sizes, smallest):
    found = treemap(sizes, smallest)
    assert sum(tile.size for tile in found.tiles) == sum(sizes.values())
    boxes = [tile.box for tile in found.tiles]
    assert all(overlap(one, other) < 0.01 for one, other in combinations(boxes, 2))
    for box in (*boxes, *(frame.box for frame in found.frames)):
        assert min(box) >= -0.01
        assert box.x + box.width < 1200.01
        assert box.y + box.height < 600.01
