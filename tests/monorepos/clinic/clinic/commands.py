"""What a framework does: settings by name, apps and commands by convention."""

import importlib  # runs
import os  # runs
import pkgutil  # runs


def settings():  # runs
    return importlib.import_module(os.environ["DJANGO_SETTINGS_MODULE"])  # runs


def execute(arguments):  # runs
    name, *rest = arguments  # runs
    for app in settings().INSTALLED_APPS:  # runs
        importlib.import_module(f"{app}.models")  # runs
        commands = importlib.import_module(f"{app}.management.commands")  # runs
        if name in {found.name for found in pkgutil.iter_modules(commands.__path__)}:  # runs
            importlib.import_module(f"{commands.__name__}.{name}").handle(*rest)  # runs
            return  # runs in migrate
    raise SystemExit(f"unknown command {name}")
