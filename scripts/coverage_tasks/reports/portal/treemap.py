"""A treemap: a rectangle for each file, as large as the file has statements, inside those of its directories."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, Self

from squarify import squarify

# Below so many directories no more frames are drawn: nobody could read them.
DEEPEST = 6
HEADER, PADDING = 18.0, 3.0


class Value(Protocol):
    """What is said of a file, by colour and as text: the share that was executed, for example."""

    @classmethod
    def sum(cls, values: Iterable[Any], /) -> Self:
        """Return what is said of all of them together."""


class Leaf(NamedTuple):
    """A file: its path, how many statements it has, and what is said of it."""

    path: str
    size: int
    value: Value


class Box(NamedTuple):
    """A rectangle, in the units of the map."""

    x: float
    y: float
    width: float
    height: float


NOWHERE = Box(0, 0, 0, 0)


class Tile(NamedTuple):
    """The rectangle of one file, or of the `files` in and below the directory `path` that are too small for one.

    The name is its path in the frame around it, "" for the rest of that frame's own directory.
    """

    box: Box
    path: str
    name: str
    size: int
    value: Value
    files: int = 0


class Frame(NamedTuple):
    """The rectangle of a directory, around those of what is in it; without a header there is no room for its name.

    The name is its path in the frame around it.
    """

    box: Box
    name: str
    header: bool


@dataclass
class Treemap:
    """The rectangles of a map, outer frames first."""

    width: float
    height: float
    frames: list[Frame] = field(default_factory=list)
    tiles: list[Tile] = field(default_factory=list)

    @classmethod
    def of_files(cls, leaves: Iterable[Leaf], width: float, height: float, smallest: float) -> "Treemap":
        """Return the map of files; those without statements have no place on it.

        Files of a directory that have not even `smallest`, a part of everything, share a tile.
        """
        root = _Directory("")
        for leaf in leaves:
            if leaf.size:
                root.add(leaf)
        treemap = cls(width, height)
        if root.size:
            top = root.only_one()
            treemap._fill(top, top.items(root.size * smallest, 0), Box(0, 0, width, height), root.size * smallest, 0)
        return treemap

    def _fill(
        self, directory: "_Directory", items: "list[Tile | _Directory]", box: Box, smallest: float, depth: int
    ) -> None:
        inside: list[Tile | _Directory]
        for item, place in _squarified(items, box):
            inside = [item] if isinstance(item, Tile) else item.items(smallest, depth + 1)
            # A frame around a single tile would say nothing.
            only = inside[0] if len(inside) == 1 else item
            name = only.path[len(directory.path) :].removeprefix("/")
            if isinstance(only, Tile):
                self.tiles.append(only._replace(box=place, name=name))
                continue
            header = place.width > 4 * HEADER and place.height > 2.5 * HEADER
            self.frames.append(Frame(place, name, header))
            self._fill(only, inside, _inner(place, HEADER if header else PADDING), smallest, depth + 1)


@dataclass
class _Directory:
    path: str
    size: int = 0
    directories: dict[str, "_Directory"] = field(default_factory=dict)
    files: list[Leaf] = field(default_factory=list)

    def add(self, leaf: Leaf) -> None:
        """Take a file in, below the directories of its path."""
        directory = self
        directory.size += leaf.size
        for name in leaf.path.split("/")[:-1]:
            path = f"{directory.path}/{name}".removeprefix("/")
            directory = directory.directories.setdefault(name, _Directory(path))
            directory.size += leaf.size
        directory.files.append(leaf)

    def only_one(self) -> "_Directory":
        """Return this directory or, where nothing but one directory is in it, that one."""
        directory = self
        while len(directory.directories) == 1 and not directory.files:
            (directory,) = directory.directories.values()
        return directory

    def leaves(self) -> Iterator[Leaf]:
        """Yield all files in and below the directory."""
        waiting = [self]
        while waiting:
            directory = waiting.pop()
            yield from directory.files
            waiting += directory.directories.values()

    def items(self, smallest: float, depth: int) -> "list[Tile | _Directory]":
        """Return what gets a rectangle in that of the directory, the largest first; tiles have no place yet."""
        large: list[Tile | _Directory] = []
        small: list[Leaf] = []
        files = list(self.leaves()) if depth == DEEPEST else self.files
        for child in () if depth == DEEPEST else self.directories.values():
            if child.size < smallest:
                small += child.leaves()
            else:
                large.append(child.only_one())
        for leaf in files:
            if leaf.size < smallest:
                small.append(leaf)
            else:
                large.append(_tile(leaf))
        if len(small) == 1:
            large.append(_tile(small[0]))
        elif small:
            value = small[0].value.sum(leaf.value for leaf in small)
            large.append(Tile(NOWHERE, self.path, "", sum(leaf.size for leaf in small), value, len(small)))
        return sorted(large, key=lambda item: (-item.size, item.path))


def _tile(leaf: Leaf) -> Tile:
    return Tile(NOWHERE, leaf.path, "", leaf.size, leaf.value)


def _inner(box: Box, top: float) -> Box:
    """Return the room inside a frame; where nothing would be left, all of it."""
    width, height = box.width - 2 * PADDING, box.height - top - PADDING
    return Box(box.x + PADDING, box.y + top, width, height) if min(width, height) > 0 else box


def _squarified(items: "list[Tile | _Directory]", box: Box) -> "Iterator[tuple[Tile | _Directory, Box]]":
    scale = box.width * box.height / sum(item.size for item in items)
    rectangles = squarify([item.size * scale for item in items], *box)
    for item, rectangle in zip(items, rectangles, strict=True):
        yield item, Box(rectangle["x"], rectangle["y"], rectangle["dx"], rectangle["dy"])
