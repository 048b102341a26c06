"""The task coverage-sources."""

import argparse
from typing import TYPE_CHECKING

from ..errors import TaskError
from ..project import Project
from .task import show

if TYPE_CHECKING:
    from ..combined.origins import Origins
    from ..sources.repository import Repository


def sources(project: Project, args: argparse.Namespace) -> int:
    """Print the map of each service, or of those that are named.

    After a run it is the map of what was started and ran, before one that of the images as they are. Raise TaskError
    for a service that does not exist, and when an image cannot be had.
    """
    from ..answers.sources import of_services
    from ..combined.merging import Merging
    from ..combined.origins import of_run
    from ..progress import Stage
    from ..recorded.journals import read_journals
    from ..sources.repository import Repository
    from ..text import printable

    repository = Repository.of_project(project)
    journals, _ = read_journals(project.journals, take=Merging(repository.known).take)
    with Stage("finding the sources of each service"):
        known = of_run(project, journals, repository) if journals else _of_images(project, repository)
    for name in args.services:
        if name not in known:
            raise TaskError(f"there is no service {name}: name one of {', '.join(map(printable, known))}")
    show(of_services({name: known[name] for name in args.services or known}, bool(journals)), args)
    return 0


def services_argument(parser: argparse.ArgumentParser) -> None:
    """Add the services to show."""
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="these services only")


def _of_images(project: Project, repository: "Repository") -> dict[str, "Origins"]:
    """Return the services as they would start now; images are built or pulled where they are missing.

    Raise TaskError when an image cannot be had, or no engine answers.
    """
    import os

    from ..combined.origins import NOT_RECORDED, of_service, service_of, with_versions
    from ..configuration import read_configuration
    from ..runtimes.compose import engine
    from ..runtimes.compose.services import find_services
    from ..runtimes.procfile import read_processes

    if project.runtime == "procfile":
        configuration = read_configuration(project.root)
        names = [process.name for process in read_processes(project, os.environ)]
        services = [service_of(project, name, NOT_RECORDED, configuration) for name in names]
    else:
        engine.require_engine()
        services = find_services(project, engine.read_model(project))
    found = {service.name: of_service(service, project.runtime == "procfile", (), repository) for service in services}
    return with_versions(found, repository)
