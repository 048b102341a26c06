from pathlib import Path

import pytest

from coverage_tasks.sources.dockerfile import copied_files, is_copied


def found(text: str, context: str = "/repository/orders") -> list[tuple[str, str]]:
    return list(copied_files(Path("/repository"), {"context": context, "dockerfile_inline": text}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("COPY a.py /app/", [("orders/a.py", "*")]),
        ("copy a.py .", [("orders/a.py", "*")]),
        ("  ADD a.py /app/b.py", [("orders/a.py", "b.py")]),
        ("COPY ./lib/a.py /lib/b.py /app/", [("orders/lib/a.py", "*"), ("orders/lib/b.py", "*")]),
        ('COPY ["a b.py", "/app/"]', [("orders/a b.py", "*")]),
        ("COPY --chown=a --link a.py /app/", [("orders/a.py", "*")]),
        ("COPY a.py \\\n  # why\n  b.py /app/", [("orders/a.py", "*"), ("orders/b.py", "*")]),
        ("COPY *.py /app/", [("orders/*.py", "*")]),
        ("COPY --from=build a.py /app/", []),
        ("COPY lib /app/", [("orders/lib", "/app/")]),
        ("COPY ./lib/ web ./", [("orders/lib", "./"), ("orders/web", "./")]),
        ("COPY . .", [("orders", "./")]),
        ("# COPY a.py /app/", []),
        ("RUN COPY a.py /app/", []),
        ("COPY a.py", []),
        ("COPY 'a.py /app/", []),
        ("COPY [1, /app/", []),
    ],
)
def test_finds_what_is_copied(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_the_context_may_be_the_repository_itself_but_not_lie_elsewhere() -> None:
    assert found("COPY orders/a.py /app/", "/repository") == [("orders/a.py", "*")]
    assert found("COPY . /app/", "/repository") == [(".", "/app/")]
    assert found("COPY a.py /app/", "/elsewhere") == []
    assert found("COPY a.py /app/", "https://example.com/repository.git") == []


def test_reads_the_dockerfile_that_the_build_names(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders/Dockerfile").write_text("COPY a.py /\n")
    (tmp_path / "orders/other.dockerfile").write_text("COPY b.py /\n")
    build = {"context": str(tmp_path / "orders")}
    assert list(copied_files(tmp_path, build)) == [("orders/a.py", "*")]
    assert list(copied_files(tmp_path, {**build, "dockerfile": "other.dockerfile"})) == [("orders/b.py", "*")]
    assert list(copied_files(tmp_path, {**build, "dockerfile": "none"})) == []
    assert list(copied_files(tmp_path, None)) == []


@pytest.mark.parametrize(
    ("path", "place", "expected"),
    [
        ("lib/a.py", "/app/a.py", True),
        ("lib/a.py", "/app/b.py", False),
        ("lib/deep/a.py", "/app/a.py", False),
        ("config/prod.py", "/app/settings.py", True),
        ("config/prod.py", "/app/prod.py", False),
        ("web/a.py", "/srv/a.py", True),
        ("web/deep/a.py", "/srv/deep/a.py", True),
        ("web/deep/a.py", "/srv/a.py", False),
        ("web/a.py", "/app/a.py", False),
        ("website/a.py", "/srv/a.py", False),
        ("shared/a.py", "/anywhere/lib/a.py", True),
        ("shared/a.py", "/anywhere/a.py", False),
    ],
)
def test_a_file_is_copied_to_where_the_dockerfile_says(path: str, place: str, expected: bool) -> None:
    copied = [("lib/*.py", "*"), ("config/prod.py", "settings.py"), ("web", "/srv/"), ("shared", "lib/")]
    assert is_copied(path, place, copied) is expected


def test_all_of_the_repository_may_be_copied() -> None:
    assert is_copied("orders/a.py", "/app/orders/a.py", [(".", "./")])
    assert not is_copied("orders/a.py", "/app/a.py", [(".", "./")])
