"""The source map on the layouts of tests/layouts: each file of each service is mapped rightly, or named with a reason.

In a layout a text stands for a file's content. `copies` is what COPY does, container directory: repository directory,
and its files are expected to be mapped to where they come from. `holds` are further files of the image, and `ran` what
was seen to run; each of these is expected in `mapped`, `drifted` (both: repository path) or `unmapped` (its reason).
"""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from machine import ROOT

from coverage_tasks.sources.dockerfile import copied_files
from coverage_tasks.sources.maps import Filesystem, Links, SourceMap
from coverage_tasks.sources.repository import Repository, digest_of
from coverage_tasks.sources.votes import map_sources

LAYOUTS = {file.stem: yaml.safe_load(file.read_text()) for file in sorted((ROOT / "tests" / "layouts").glob("*.yml"))}
SERVICES = [(layout, name) for layout, found in LAYOUTS.items() for name in found["services"]]
KEYS = {"copies", "holds", "ran", "links", "binds", "map", "dockerfile", "mapped", "drifted", "unmapped", "sources"}


class Service:
    """A service of a layout: contents by container path, and the map that is made of them."""

    def __init__(self, layout: str, name: str) -> None:
        self.repository: dict[str, str] = LAYOUTS[layout]["repository"]
        self.said: dict[str, Any] = LAYOUTS[layout]["services"][name]
        assert not set(self.said) - KEYS
        self.copied = {
            "/".join([target.rstrip("/"), path.removeprefix(source + "/")]): path
            for target, source in self.said.get("copies", {}).items()
            for path in self.repository
            if source == "." or path.startswith(source + "/")
        }
        copies = {place: self.repository[path] for place, path in self.copied.items()}
        self.contents: dict[str, str] = {**copies, **self.said.get("holds", {}), **self.said.get("ran", {})}

    def make_map(self) -> SourceMap:
        build = {"context": "/repository", "dockerfile_inline": self.said.get("dockerfile", "")}
        system = Filesystem(
            files={place: digest_of(text.encode()) for place, text in self.contents.items()},
            binds=self.said.get("binds", {}).items(),
            given=self.said.get("map", {}).items(),
            copied=list(copied_files(Path("/repository"), build)),
            links=Links.followed(self.said.get("links", {})),
        )
        files = {path: digest_of(text.encode()) for path, text in self.repository.items()}
        return map_sources(system, Repository(Path("/repository"), files))


@pytest.mark.parametrize(("layout", "name"), SERVICES, ids=map(" ".join, SERVICES))
def test_every_file_is_mapped_to_where_it_comes_from_or_named(layout: str, name: str) -> None:
    service = Service(layout, name)
    source_map = service.make_map()
    found: dict[str, dict[str, str | None]] = {"mapped": {}, "drifted": {}, "unmapped": {}}
    for place, text in service.contents.items():
        match = source_map.find(place, digest_of(text.encode()))
        key = "mapped" if match.state == "same" else match.state
        found[key][place] = match.path or match.reason
    drifted, unmapped = service.said.get("drifted", {}), service.said.get("unmapped", {})
    elsewhere = {*drifted, *unmapped}
    mapped = {place: path for place, path in service.copied.items() if place not in elsewhere}
    assert found == {
        "mapped": mapped | service.said.get("mapped", {}),
        "drifted": drifted,
        "unmapped": unmapped,
    }


@pytest.mark.parametrize(("layout", "name"), SERVICES, ids=map(" ".join, SERVICES))
def test_source_holds_every_name_under_which_mapped_files_can_run_and_no_more(layout: str, name: str) -> None:
    service = Service(layout, name)
    assert service.make_map().sources == service.said["sources"]


TARGETS = ("/app", "/opt/x", "/app/lib", "/app/{name}", "/srv/{path}", "/usr/lib/python3/dist-packages/{name}")


def generate(rng: random.Random, twins: float) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """A repository, an image made by a few COPY of it, some files of which have drifted, and where each came from."""
    repository = {}
    for service in ("one", "two", "libs/x", "libs/y")[: rng.randint(1, 4)]:
        for _ in range(rng.randint(1, 6)):
            below = "/".join([service, *rng.choices(("api", "core", "lib"), k=rng.randint(0, 2))])
            name = rng.choice(("a.py", "b.py", "c.py", "main.py", "__init__.py"))
            text = f"twin {name}" if rng.random() < twins else f"{below}/{name}"
            repository[f"{below}/{name}"] = "" if name == "__init__.py" and rng.random() < 0.7 else text
    directories = sorted({str(above) for path in repository for above in Path(path).parents} - {"."})
    origins = {}
    for source in rng.choices(directories, k=rng.randint(1, 3)):
        target = rng.choice(TARGETS).format(path=source, name=Path(source).name)
        origins |= {target + path[len(source) :]: path for path in repository if path.startswith(source + "/")}
    image = {
        place: "drifted " + place if rng.random() < 0.1 else repository[path]
        for place, path in origins.items()
        if rng.random() > 0.05
    }
    return repository, image, origins


@pytest.mark.parametrize(("twins", "least"), [(0, 0.95), (0.2, 0.9)])
def test_generated_layouts_are_never_mapped_wrongly_and_rarely_not_at_all(twins: float, least: float) -> None:
    undrifted = mapped = 0
    for seed in range(1500):
        repository, image, origins = generate(random.Random(seed), twins)
        digests = {place: digest_of(text.encode()) for place, text in image.items()}
        files = {path: digest_of(text.encode()) for path, text in repository.items()}
        source_map = map_sources(Filesystem(digests), Repository(Path("/repository"), files))
        for place in filter(image.get, image):
            match = source_map.find(place, digests[place])
            assert match.path is None or match.path == origins[place] or match.state == "drifted", f"{seed}: {place}"
            undrifted += not image[place].startswith("drifted")
            mapped += match.state == "same"
    assert mapped > least * undrifted
