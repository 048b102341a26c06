from pathlib import Path

import pytest

from coverage_tasks.runtimes.compose.names import RESET, own_names, stack_name


def test_checkouts_of_one_repository_have_stacks_of_their_own():
    one, other = stack_name("shop", Path("/home/a/shop")), stack_name("shop", Path("/home/b/shop"))
    assert one != other
    assert one == stack_name("shop", Path("/home/a/shop"))
    assert one.startswith("shop-coverage-")


def model(**parts):
    return {"name": "shop", "services": {"web": {"networks": {"default": None}}}, **parts}


@pytest.mark.parametrize("kind", ["networks", "volumes"])
def test_fixed_names_of_networks_and_volumes_go_and_shared_ones_stay(kind):
    found = {
        "default": {"name": "shop_default"},
        "fixed": {"name": "shop-data"},
        "shared": {"name": "company", "external": True},
    }
    assert own_names(model(**{kind: found}), ()) == {kind: {"fixed": {"name": RESET}}}


def test_container_keeps_its_name_while_nobody_else_has_it():
    services = {"db": {"container_name": "shop-db", "networks": {"default": None}}}
    assert own_names(model(services=services), ["other"]) == {}


def test_container_whose_name_is_taken_is_known_by_it_to_its_own_networks():
    services = {
        "db": {"container_name": "shop-db", "networks": {"shared": None, "back": {"aliases": ["sql"]}}},
        "sidecar": {"network_mode": "container:shop-db", "pid": "host"},
        "other": {"network_mode": "container:elsewhere"},
    }
    networks = {"back": {"name": "shop_back"}, "shared": {"name": "company", "external": True}}
    assert own_names(model(services=services, networks=networks), ["shop-db"])["services"] == {
        "db": {"container_name": RESET, "networks": {"back": {"aliases": ["shop-db"]}}},
        "sidecar": {"network_mode": "service:db"},
    }


def test_container_without_a_network_of_its_own_only_loses_the_name():
    services = {"db": {"container_name": "shop-db", "network_mode": "none"}}
    assert own_names(model(services=services), ["shop-db"]) == {"services": {"db": {"container_name": RESET}}}
