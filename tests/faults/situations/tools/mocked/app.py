import os  # runs
from unittest import mock  # runs

with mock.patch("builtins.open"), mock.patch("os.open"), mock.patch("os.fork"), mock.patch("os.getpid"):  # runs
    import inside  # runs

    print(inside.work())  # runs
with mock.patch.dict(os.environ, {"A": "1"}, clear=True):  # runs
    print(dict(os.environ))  # runs
with mock.patch("os.execv", autospec=True) as execv:  # runs
    os.execv("a", ["b"])  # runs
    print(execv.call_args)  # runs
