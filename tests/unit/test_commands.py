"""Commands are read as the shell and Python would read them."""

import pytest

from coverage_tasks.runtimes.command_lines import bypass, keeps_shell, replaced_python_path, shown

SHEBANGS = {
    "/usr/local/bin/serve": "#!/usr/local/bin/python3.13",
    "/usr/local/bin/isolated": "#!/usr/local/bin/python3.13 -I",
    "/app/run.py": "#!/usr/bin/env -S python -u -S",
}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python -S -u job.py --token hush", "python -S -u job.py"),
        ("/bin/python3.11 -W error -X dev -m gunicorn app --key hush", "/bin/python3.11 -W error -X dev -m gunicorn"),
        ("python -um app.main --key hush", "python -u -m app.main"),
        ("python -c import os; hush", "python -c …"),
        ("python -chush", "python -c …"),
        ("python", "python"),
        ("python -", "python -"),
        ("sh -c python hush", "sh"),
        ("", ""),
    ],
)
def test_commands_are_shown_without_what_may_be_secret(command, expected):
    assert shown(command.split()) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["python", "main.py"], ""),
        (["python", "-u", "-S", "main.py"], "-S"),
        (["python3", "-uI", "main.py"], "-I"),
        (["python3.12", "-X", "dev", "-E", "-m", "app"], "-E"),
        (["python", "-W", "-S", "main.py"], ""),
        (["python", "main.py", "-S"], ""),
        (["python", "-m", "app", "-I"], ""),
        (["python", "--check-hash-based-pycs", "never", "main.py"], ""),
        (["sh", "-c", "migrate && exec python -I main.py"], "-I"),
        (["/bin/sh", "-ec", "A=1 exec env B=2 python -S main.py"], "-S"),
        (["sh", "-c", "echo 'it isn"], ""),
        (["sh", "start.sh", "-I"], ""),
        (["env", "-i", "PATH=/bin", "python", "main.py"], "env -i"),
        (["env", "-i", "sleep", "1"], ""),
        (["env", "A=1", "python", "main.py"], ""),
        (["serve"], ""),
        (["isolated", "--port", "1"], "-I"),
        (["/usr/local/bin/isolated"], "-I"),
        (["/elsewhere/isolated"], ""),
        (["env", "-i", "serve"], "env -i"),
        (["/app/run.py"], "-S"),
        ([], ""),
    ],
)
def test_what_keeps_python_from_the_spy_is_seen(words, expected):
    assert bypass(words, SHEBANGS) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sh", "-c", "PYTHONPATH=/app exec python main.py"], "/app"),
        (["sh", "-c", 'export PYTHONPATH="/app"; python main.py'], "/app"),
        (["env", "PYTHONPATH=/app:/lib", "python"], "/app:/lib"),
        (["sh", "-c", "PYTHONPATH=/app:$PYTHONPATH python main.py"], ""),
        (["sh", "-c", "PYTHONPATH=${PYTHONPATH}:/app python main.py"], ""),
        (["sh", "-c", "MY_PYTHONPATH=/app python main.py"], ""),
        (["python", "main.py"], ""),
    ],
)
def test_a_replaced_python_path_is_seen(words, expected):
    assert replaced_python_path(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["python", "main.py"], False),
        (["sh", "-c", "python main.py"], False),
        (["sh", "-c", "migrate; python main.py"], True),
        (["/bin/sh", "-c", "migrate && python main.py"], True),
        (["bash", "-lc", "migrate && exec python main.py"], False),
        (["sh", "start.sh"], False),
    ],
)
def test_a_shell_that_stays_is_seen(words, expected):
    assert keeps_shell(words) is expected
