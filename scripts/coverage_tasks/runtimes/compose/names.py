"""Names of the measured stack, and how fixed names in a compose file are kept from colliding with another stack's."""

import os
from collections.abc import Collection, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

NAMESPACES = ("network_mode", "pid", "ipc")


class Reset:
    """In an overlay: take away what the files before it say. Compose 2.24 and newer."""


RESET: Final = Reset()


def stack_name(base_name: str, root: Path) -> str:
    """Return the compose project of the measured stack of the checkout in `root`.

    The end comes from the path: checkouts of one repository mostly have one name for compose, and each gets
    containers, networks and volumes of its own, the same ones each time.
    """
    return f"{base_name}-coverage-{sha256(os.fsencode(root)).hexdigest()[:6]}"


def own_names(model: Mapping[str, Any], taken: Collection[str]) -> dict[str, Any]:
    """Return the part of an overlay that keeps fixed names apart from those of other stacks.

    A fixed network or volume would be the other stack's own, with its data. A container keeps its name, which people
    type, unless it is in `taken`; then only its networks know the name. What is external is shared on purpose.
    """
    parts: dict[str, Any] = {"services": _services(model, taken)}
    for kind in ("networks", "volumes"):
        parts[kind] = {
            key: {"name": RESET}
            for key, definition in sorted((model.get(kind) or {}).items())
            if definition and not definition.get("external") and definition["name"] != f"{model['name']}_{key}"
        }
    return {kind: part for kind, part in parts.items() if part}


def container_names(model: Mapping[str, Any]) -> dict[str, str]:
    """Return fixed container name -> its service."""
    return {
        definition["container_name"]: service
        for service, definition in sorted(model["services"].items())
        if definition.get("container_name")
    }


def _services(model: Mapping[str, Any], taken: Collection[str]) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    renamed = {name: service for name, service in container_names(model).items() if name in taken}
    for name, service in renamed.items():
        entries[service] = {"container_name": RESET}
        # On a network that is shared the name would lead others' requests here.
        inside = [key for key in model["services"][service].get("networks") or () if not _is_external(model, key)]
        if inside:
            entries[service]["networks"] = {key: {"aliases": [name]} for key in sorted(inside)}
    for service, definition in sorted(model["services"].items()):
        for key in NAMESPACES:
            kind, _, name = str(definition.get(key) or "").partition(":")
            if kind == "container" and name in renamed:
                entries.setdefault(service, {})[key] = f"service:{renamed[name]}"
    return entries


def _is_external(model: Mapping[str, Any], network: str) -> bool:
    return bool(((model.get("networks") or {}).get(network) or {}).get("external"))
