import pytest

from coverage_tasks.runtimes.compose import mounts

MOUNTS = """\
22 26 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw
1001 900 254:0 /home/x/coverage-data /coverage rw,relatime master:1 - ext4 /dev/vda rw
1002 900 254:0 /home/x/coverage-spy /coverage-spy ro,relatime - virtiofs mount0 rw
"""


def test_file_system_of_a_path_is_that_of_the_last_mount_of_those_nearest_to_it():
    assert mounts._type_at("/coverage", MOUNTS) == "ext4"
    assert mounts._type_at("/coverage/journals", MOUNTS) == "ext4"
    assert mounts._type_at("/coverage-spy", MOUNTS) == "virtiofs"
    over = MOUNTS + "1003 900 0:54 / /coverage rw - fuse.grpcfuse grpcfuse rw\n"
    assert mounts._type_at("/coverage", over) == "fuse.grpcfuse"
    assert mounts._type_at("/elsewhere", MOUNTS) == ""
    root = "21 1 254:1 / / rw - xfs /dev/vdb rw\n" + over
    assert mounts._type_at("/elsewhere", root) == "xfs"
    assert mounts._type_at("/my files/a", f"{root}30 21 0:60 / /my\\040files rw - nfs4 server:/ rw\n") == "nfs4"


@pytest.mark.parametrize(
    ("system", "unsafe"),
    [
        *((name, True) for name in ("9p", "virtiofs", "nfs", "nfs4", "cifs", "fakeowner", "fuse", "fuse.sshfs")),
        *((name, False) for name in ("ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuseblk", "")),
    ],
)
def test_file_systems_that_do_not_keep_memory_maps_are_known(system, unsafe):
    assert bool(mounts._UNSAFE.fullmatch(system)) is unsafe
