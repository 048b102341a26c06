from pathlib import Path

import pytest

from coverage_tasks.dockerfile import copied_files, is_copied


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
        ("COPY lib /app/", []),
        ("# COPY a.py /app/", []),
        ("RUN COPY a.py /app/", []),
        ("COPY a.py", []),
        ("COPY 'a.py /app/", []),
        ("COPY [1, /app/", []),
    ],
)
def test_finds_the_files_that_are_copied_by_name(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_the_context_may_be_the_repository_itself_but_not_lie_elsewhere() -> None:
    assert found("COPY orders/a.py /app/", "/repository") == [("orders/a.py", "*")]
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
    ("path", "name", "expected"),
    [
        ("lib/a.py", "a.py", True),
        ("lib/a.py", "b.py", False),
        ("lib/deep/a.py", "a.py", False),
        ("config/prod.py", "settings.py", True),
        ("config/prod.py", "prod.py", False),
    ],
)
def test_a_pattern_ends_at_a_slash_and_a_new_name_is_the_only_one(path: str, name: str, expected: bool) -> None:
    assert is_copied(path, name, [("lib/*.py", "*"), ("config/prod.py", "settings.py")]) is expected
