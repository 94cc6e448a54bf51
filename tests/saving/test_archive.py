"""Files: whole or the one before, and what they say of themselves is not believed."""

import errno
import json
import os
import pickle
import stat
import struct
import tracemalloc
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from skffnn.saving import archive

ARRAYS = {
    "a": np.arange(6.0).reshape(2, 3),
    "f": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "single": np.float32([1, np.nan, -0.0]),
    "empty": np.zeros((0, 4)),
    "flag": np.array(True),
}
posix = pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")
HEADER = {"ä": [1, 2.5, None, True], "nan": float("nan")}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.npz"
    archive.write(path, json.dumps(HEADER), ARRAYS)
    return path


def test_what_is_written_is_read(path, equal):
    header, arrays = archive.read(path)
    assert equal(header, HEADER)
    assert equal(arrays, ARRAYS)
    assert arrays["f"].flags.f_contiguous
    assert all(array.flags.writeable for array in arrays.values())


def test_other_byte_orders_become_native(tmp_path):
    archive.write(tmp_path / "a", "{}", {"a": np.arange(3, dtype=">f8")})
    _, arrays = archive.read(tmp_path / "a")
    assert arrays["a"].dtype == np.float64
    assert arrays["a"].tolist() == [0, 1, 2]


def test_numpy_opens_it(path):
    with np.load(path, allow_pickle=False) as content:
        np.testing.assert_array_equal(content["a"], ARRAYS["a"])
        assert json.loads(content["header.json"])["ä"] == HEADER["ä"]


def test_the_same_content_gives_the_same_bytes(path, tmp_path):
    archive.write(tmp_path / "b", json.dumps(HEADER), ARRAYS)
    assert (tmp_path / "b").read_bytes() == path.read_bytes()


# Damage -------------------------------------------------------------------------------


def refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"skffnn|damaged|file"):
        archive.read(path)


def test_every_changed_byte_is_found(path):
    content = path.read_bytes()
    for i in range(len(content)):
        changed = bytearray(content)
        changed[i] ^= 1 << i % 8
        refused(path, changed)


def test_every_shorter_or_longer_file_is_refused(path):
    content = path.read_bytes()
    for n in range(len(content)):
        refused(path, content[:n])
    refused(path, content + b"\n")
    refused(path, b"\n" + content)


# Forgery ------------------------------------------------------------------------------


def forged(path, content, message):
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(ValueError, match=message):
        archive.read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20 + 4 * len(content)


def test_an_array_that_says_to_be_larger_takes_no_memory(path, forge):
    for shape in ((10**12,), (10**6, 10**6), (0, 10**18), (10**30,), (-3,), (3, -1)):
        says = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
        parts = [("header.json", b"{}"), ("a.npy", forge.described(says, bytes(24)))]
        forged(path, forge.packed(parts), "another shape|none|no file")


@pytest.mark.parametrize(
    "dtype", ["O", "<U5", "|S3", "<M8[s]", "<c16", "|V8", "[('a', '<f8')]", "(2,)<f8"]
)
def test_only_numbers(path, forge, dtype):
    descr = dtype if dtype[0] == "[" else repr(dtype)
    says = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}"
    parts = [("header.json", b"{}"), ("a.npy", forge.described(says, bytes(16)))]
    forged(path, forge.packed(parts), "no numbers|descr|no file")


@pytest.mark.parametrize("shape", ["(3,)", "(3, 1)"])
def test_truth_values_are_0_or_1(path, forge, shape):
    """NumPy counts what a mask selects by adding them up, and writes that many."""
    says = f"{{'descr': '|b1', 'fortran_order': False, 'shape': {shape}, }}"
    parts = [("header.json", b"{}"), ("a.npy", forge.described(says, b"\0\1\2"))]
    forged(path, forge.packed(parts), "truth values")


def test_numbers_wider_than_any_machine_has_are_refused(path, forge):
    """Not all of their bytes make a number, and C prints those beyond its memory."""
    wide = np.dtype(np.longdouble)
    if wide.itemsize == 8:
        pytest.skip("long double is double")
    says = f"{{'descr': {wide.str!r}, 'fortran_order': False, 'shape': (1,), }}"
    content = forge.described(says, b"\1" * wide.itemsize)
    forged(path, forge.packed([("header.json", b"{}"), ("a.npy", content)]), "numbers")


def test_no_pickle_is_ever_opened(path, forge, monkeypatch):
    def opened(*_, **__):
        raise AssertionError("a pickle was opened")

    objects = forge.npy(np.array([print, {}], dtype=object))
    monkeypatch.setattr(pickle, "load", opened)
    monkeypatch.setattr(pickle, "loads", opened)
    monkeypatch.setattr(pickle, "Unpickler", opened)
    forged(path, forge.packed([("header.json", b"{}"), ("a.npy", objects)]), "numbers")


def test_nothing_is_unpacked(path, forge):
    parts = [("header.json", b"{}"), ("a.npy", forge.npy(np.zeros(10**6)))]
    packed = forge.packed(parts, zipfile.ZIP_DEFLATED)
    assert len(packed) < 10_000
    forged(path, packed, "compressed")


def test_members_that_share_their_bytes(path, forge):
    one = forge.packed([("header.json", b"{}"), ("a.npy", forge.npy(np.zeros(5000)))])
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("header.json", b"{}")
        target.writestr("a.npy", forge.npy(np.zeros(5000)))
        for i in range(50):  # further entries of the directory for the same bytes
            info = zipfile.ZipInfo(f"a{i}.npy")
            first = target.getinfo("a.npy")
            for name in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(info, name, getattr(first, name))
            target.filelist.append(info)
            target.NameToInfo[info.filename] = info
        target.comment = bytes(forge.TAIL)
    content = forge.signed(path.read_bytes())
    assert len(content) < 2 * len(one)
    forged(path, content, "larger than the file|differ")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "header.json"),
        ([("header.json", b"")], "no JSON"),
        ([("header.json", b"\xff")], "no JSON"),
        ([("header.json", b"[]")], "no JSON object"),
        ([("header.json", b"[" * 100_000)], "recursion|depth"),
        ([("header.json", b"1" * 5000)], "JSON"),
        ([("header.json", b"{}"), ("header.json", b"{}")], "two parts of one name"),
        ([("header.json", b"{}"), ("a.txt", b"")], "no array"),
        ([("header.json", b"{}"), ("a.npy", b"")], "a.npy|EOF|magic"),
        ([("header.json", b"{}"), ("a.npy", b"\x93NUMPY\x02\x00")], "another version"),
    ],
)
def test_other_zips(path, forge, parts, message):
    forged(path, forge.packed(parts), message)


def test_what_an_array_says_of_itself_is_short(path, forge):
    for says in ("-" * 9000 + "1", "~" * 9900, "(" * 9000, "{" * 200):
        parts = [("header.json", b"{}"), ("a.npy", forge.described(says))]
        forged(path, forge.packed(parts), "header|Header|no file")


# Writing ------------------------------------------------------------------------------


def failing(monkeypatch, module, name, at):
    """Let the n-th call fail, as on a full disk; how many calls there were."""
    original, calls = getattr(module, name), []

    def call(*given, **named):
        calls.append(1)
        if len(calls) == at:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(*given, **named)

    monkeypatch.setattr(module, name, call)
    return calls


class FullDisk:
    """A file whose n-th write fails."""

    def __init__(self, file, at, writes):
        self.file, self.at, self.writes = file, at, writes

    @classmethod
    def opened(cls, *given, at, writes, **options):
        return cls(open(*given, **options), at, writes)

    def write(self, content):
        self.writes.append(1)
        if len(self.writes) == self.at:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.file.write(content)

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()


def test_a_write_that_fails_leaves_the_file_that_was_there(path, monkeypatch):
    before, new = path.read_bytes(), {"b": np.zeros(1000)}
    at, failed = 0, True
    while failed:
        at, writes = at + 1, []
        with monkeypatch.context() as patch:
            patch.setattr(
                archive,
                "open",
                partial(FullDisk.opened, at=at, writes=writes),
                raising=False,
            )
            try:
                archive.write(path, "{}", new)
                failed = False
            except OSError:
                assert path.read_bytes() == before
        assert os.listdir(path.parent) == [path.name]
    assert at > 10
    _, arrays = archive.read(path)
    assert arrays.keys() == {"b"}


@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_flush_and_rename_that_fail(path, monkeypatch, name):
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        failing(patch, os, name, 1)
        with pytest.raises(OSError, match="No space"):
            archive.write(path, "{}", {})
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_it_is_on_the_disk_before_it_has_its_name(path, monkeypatch):
    order = []
    for name in ("fsync", "replace"):
        original = getattr(os, name)

        def noted(*given, name=name, original=original):
            order.append(name)
            return original(*given)

        monkeypatch.setattr(os, name, noted)
    archive.write(path, "{}", {})
    assert order[:2] == ["fsync", "replace"]


def test_an_interrupt_while_writing_leaves_nothing_behind(path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    before = path.read_bytes()
    monkeypatch.setattr(archive.npy, "write_array", interrupted)
    with pytest.raises(KeyboardInterrupt):
        archive.write(path, "{}", ARRAYS)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@posix
def test_mode_and_links_are_kept(path, tmp_path):
    path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(path)
    archive.write(link, "{}", {})
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert archive.read(path) == ({}, {})


@posix
def test_a_new_file_follows_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        archive.write(tmp_path / "new", "{}", {})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["new"]


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("mode", [None, 0o600, 0o644])
def test_nobody_else_may_read_it_before_it_is_complete(
    tmp_path, monkeypatch, umask, mode
):
    path, modes, write = tmp_path / "a", [], archive.npy.write_array
    if mode is not None:
        archive.write(path, "{}", {})
        path.chmod(mode)

    def noted(*given, **options):
        modes.extend(mode_of(file) for file in tmp_path.iterdir() if file != path)
        return write(*given, **options)

    monkeypatch.setattr(archive.npy, "write_array", noted)
    before = os.umask(umask)
    try:
        archive.write(path, "{}", ARRAYS)
    finally:
        os.umask(before)
    assert modes == [0o600] * len(ARRAYS)
    assert mode_of(path) == (0o666 & ~umask if mode is None else mode)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def owned(path):
    """A file of another owner and group, which root alone can make."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(path, 1234, 5678)
    return path


def test_owner_and_group_are_kept(owned):
    owned.chmod(0o640)
    archive.write(owned, "{}", {})
    after = owned.stat()
    assert (after.st_uid, after.st_gid, mode_of(owned)) == (1234, 5678, 0o640)


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o640, 0o600), (0o664, 0o644), (0o670, 0o600)]
)
def test_another_group_may_do_no_more_than_everybody(
    owned, monkeypatch, mode, expected
):
    def refused(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    owned.chmod(mode)
    with monkeypatch.context() as patch:
        patch.setattr(os, "chown", refused)
        archive.write(owned, "{}", {})
    assert owned.stat().st_gid != 5678
    assert mode_of(owned) == expected


@pytest.fixture
def attributes(path):
    """A function that sets an extended attribute."""

    def give(name, value, to=path):
        try:
            os.setxattr(to, name, value)
        except (AttributeError, OSError):
            pytest.skip("there are no such attributes here")

    return give


def test_extended_attributes_are_kept(path, attributes):
    attributes("user.origin", b"a table")
    archive.write(path, "{}", {})
    assert os.getxattr(path, "user.origin") == b"a table"


def access_list(*entries):
    """An access list as Linux keeps it: tag, permissions and number of each entry."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)


ANYBODY = 2**32 - 1
READER = access_list(
    (1, 6, ANYBODY), (2, 4, 1234), (4, 4, ANYBODY), (16, 4, ANYBODY), (32, 0, ANYBODY)
)


def test_access_lists_are_kept_and_none_is_made(path, attributes):
    attributes("system.posix_acl_access", READER)
    archive.write(path, "{}", {})
    assert os.getxattr(path, "system.posix_acl_access") == READER
    os.removexattr(path, "system.posix_acl_access")
    path.chmod(0o640)
    attributes("system.posix_acl_default", READER, path.parent)
    archive.write(path, "{}", {})
    assert "system.posix_acl_access" not in os.listxattr(path)
    assert mode_of(path) == 0o640


def test_a_new_file_has_the_access_list_that_its_folder_gives(path, attributes):
    attributes("system.posix_acl_default", READER, path.parent)
    new, usual = path.with_name("new"), path.with_name("usual")
    archive.write(new, "{}", {})
    usual.write_bytes(b"")
    assert mode_of(new) == mode_of(usual)
    name = "system.posix_acl_access"
    assert os.getxattr(new, name) == os.getxattr(usual, name)


def test_where_there_are_neither_owners_nor_attributes(path, monkeypatch):
    for name in ("chown", "listxattr"):
        monkeypatch.delattr(os, name, raising=False)
    archive.write(path, "{}", {})
    assert archive.read(path) == ({}, {})


def test_a_system_that_refuses_everything_gets_a_private_file(path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    for name in ("chown", "chmod", "setxattr"):
        monkeypatch.setattr(os, name, refused, raising=False)
    archive.write(path, "{}", {})
    assert archive.read(path) == ({}, {})


@posix
def test_what_is_no_file_is_not_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    for name in ("folder", "fifo"):
        with pytest.raises(OSError, match="Not a file"):
            archive.write(tmp_path / name, "{}", {})
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)


def test_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("a", "ä b.npz", tmp_path / "c", b"d", "x" * 250):
        archive.write(path, "{}", {})
        assert archive.read(path) == ({}, {})
    with pytest.raises(FileNotFoundError):
        archive.write("missing/a", "{}", {})
    with pytest.raises(FileNotFoundError):
        archive.read("missing")


@posix
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", FileNotFoundError),
        ("missing/a", FileNotFoundError),
        ("a/", IsADirectoryError),
        ("folder", OSError),
        ("file/a", NotADirectoryError),
        ("x" * 300, OSError),
        (b"missing/a", FileNotFoundError),
        (Path("missing/a"), FileNotFoundError),
    ],
)
def test_errors_name_the_path_as_it_was_given(tmp_path, monkeypatch, name, kind):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").touch()
    with pytest.raises(kind) as caught:
        archive.write(name, "{}", {})
    assert caught.value.filename == os.fspath(name)
    assert str(caught.value).endswith(f": {os.fspath(name)!r}")
    assert {each.name for each in tmp_path.iterdir()} == {"folder", "file"}


def test_a_file_that_may_not_be_written_stays(path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError):
        archive.write(path, "{}", {})
    archive.read(path)
