"""One file of arrays and a header, that is whole or refused, and cannot run code.

The file is a zip of ``header.json`` and of one ``.npy`` for each array, nothing of it
compressed: `numpy.load` opens it, too. Its last bytes, the zip's comment, are a SHA-256
of all bytes before them. So no byte can have changed by accident; and what somebody has
forged on purpose is held against the size of the file before memory is taken.
"""

import errno
import json
import os
import secrets
import stat
import zipfile
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

HEADER = "header.json"
MARK = b"sha256:"
TAIL = len(MARK) + 64
# Bytes that are read at once.
CHUNK = 2**20
# Always the same, so that the same model gives the same file.
DATE = (1980, 1, 1, 0, 0, 0)
# Extended attributes that sign what a file held before.
SIGNATURES = {"security.ima", "security.evm"}
# Kinds of numbers: bool, int, unsigned int, float.
NUMBERS = "biuf"
# Bytes of the largest: beyond, machines differ, and not all bytes make a number.
WIDEST = 8
# Bytes of the header of an array of numbers, which has some 128.
MOST = 256
NOT_OURS = "This is no file that skffnn has written"


def check_path(path):
    """Raise TypeError or ValueError unless that can be the path of a file."""
    if not isinstance(path, str | bytes | os.PathLike):
        raise TypeError(
            "path must be the name of a file, as a string or a PathLike; got an object "
            f"of type {type(path).__name__}."
        )
    if b"\0" in os.fsencode(path):
        raise ValueError(f"path must be the name of a file; got {os.fsdecode(path)!r}.")


# Writing ------------------------------------------------------------------------------


def write(path, header, arrays):
    """Write a file, whole or not at all.

    Parameters
    ----------
    path : str or PathLike
        What stood there before is kept until the new file is on the disk.
    header : str
        JSON.
    arrays : dict of ndarray
        By name; of numbers.
    """
    with _naming(path), _replacing(path) as file:
        with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
            with _member(archive, HEADER) as member:
                member.write(header.encode("ascii"))
            for name, array in arrays.items():
                with _member(archive, f"{name}.npy") as member:
                    npy.write_array(member, array, (1, 0), allow_pickle=False)
            archive.comment = bytes(TAIL)
        digest = _digest(file, file.tell() - TAIL)
        file.seek(-TAIL, os.SEEK_END)
        file.write(MARK + digest)


def _member(archive, name):
    return archive.open(zipfile.ZipInfo(name, DATE), "w", force_zip64=True)


@contextmanager
def _naming(path):
    """Name the path in errors as the user does, and not what is written meanwhile."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        # The class of the error follows from its number.
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


@contextmanager
def _replacing(path):
    """A file to write, which takes the place of the one at path when it is complete."""
    name = os.fsdecode(path)
    if not name:  # it would stand for the current folder
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    if not os.path.basename(name):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    target = Path(os.fsdecode(os.path.realpath(path)))
    if target.exists() and not target.is_file():  # a folder, or a device
        raise OSError(errno.EINVAL, "Not a file to be written")
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    new = target.with_name(f".{target.name[:50]}.{secrets.token_hex(8)}.tmp")
    try:
        with open(new, "x+b", opener=_privately) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            _take_over(new, target)
        else:
            with suppress(OSError):
                new.chmod(_usual_mode(new))
        os.replace(new, target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    _flush_folder(target.parent)


def _privately(path, flags):
    """Open a new file for its owner alone: until it is complete, it is nobody's."""
    return os.open(path, flags, 0o600)


def _usual_mode(new):
    """The mode that `open` gives a file in that place.

    Asked of an empty file: a process has one umask for all its threads, which none can
    read without setting it.
    """
    empty = new.with_suffix(".mode.tmp")
    try:
        with open(empty, "xb") as file:
            return stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    finally:
        empty.unlink(missing_ok=True)


def _take_over(new, target):
    """Give the new file what the one at target has, as far as the system allows.

    That is group, extended attributes, mode and owner, in an order in which nobody may
    read it who may not read the other.
    """
    before = target.stat()
    mode, same_group = stat.S_IMODE(before.st_mode), True
    if hasattr(os, "chown"):
        with suppress(OSError):
            os.chown(new, -1, before.st_gid)
        same_group = new.stat().st_gid == before.st_gid
    if not same_group:  # another group may do what everybody may
        mode &= ~stat.S_IRWXG | (mode & stat.S_IRWXO) << 3
    _copy_attributes(target, new, same_group)
    with suppress(OSError):
        new.chmod(mode)
    if hasattr(os, "chown"):
        with suppress(OSError):
            os.chown(new, before.st_uid, -1)


def _copy_attributes(source, new, with_access):
    """Copy extended attributes, if there are any; access lists only if they fit."""
    if not hasattr(os, "listxattr"):
        return
    with suppress(OSError):
        theirs, own = set(os.listxattr(source)) - SIGNATURES, os.listxattr(new)
        for name in theirs:
            if with_access or not name.startswith("system."):
                with suppress(OSError):
                    os.setxattr(new, name, os.getxattr(source, name))
        for name in set(own) - theirs:  # such as the access list of a folder's files
            with suppress(OSError):
                os.removexattr(new, name)


def _flush_folder(folder):
    """Have the new name on the disk as well, where folders can be flushed."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _digest(file, n_bytes):
    """SHA-256 of the first bytes, in hexadecimal."""
    sha = sha256()
    file.seek(0)
    while n_bytes > 0:
        chunk = file.read(min(CHUNK, n_bytes))
        if not chunk:
            break
        sha.update(chunk)
        n_bytes -= len(chunk)
    return sha.hexdigest().encode()


# Reading ------------------------------------------------------------------------------


def read(path):
    """Read a file: its header, and its arrays by name.

    Parameters
    ----------
    path : str or PathLike

    Returns
    -------
    header : dict
    arrays : dict of ndarray

    Raises
    ------
    ValueError
        If it is no such file, or not what was written.
    OSError
        If it cannot be read.
    """
    with open(path, "rb") as file:
        size = _check_digest(file)
        try:
            with zipfile.ZipFile(file) as archive:
                return _header(archive, size), _arrays(archive, size)
        except (ValueError, OSError, MemoryError):
            raise
        except Exception as error:  # each part of a zip has its own
            raise ValueError(f"{NOT_OURS}: {error}.") from error


def _check_digest(file):
    """The size of the file, if its bytes are those that were written."""
    size = file.seek(0, os.SEEK_END)
    if size < TAIL:
        raise ValueError(f"{NOT_OURS}, or it was cut short.")
    digest = _digest(file, size - TAIL)
    tail = file.read()
    if not tail.startswith(MARK):
        raise ValueError(f"{NOT_OURS}, or it was cut short.")
    if tail != MARK + digest:
        raise ValueError("The file is damaged: it is not what was written.")
    return size


def _header(archive, size):
    text = archive.read(_plain(archive, HEADER, size))
    try:
        header = json.loads(text.decode("ascii"))
    except ValueError as error:
        raise ValueError(f"{NOT_OURS}: its header is no JSON, {error}.") from error
    if not isinstance(header, dict):
        raise ValueError(f"{NOT_OURS}: its header is no JSON object.")
    return header


def _arrays(archive, size):
    """All arrays; together no larger than the file."""
    names, left, arrays = archive.namelist(), size, {}
    if len(set(names)) < len(names):
        raise ValueError("The file has two parts of one name.")
    for name in names:
        info = _plain(archive, name, left)
        left -= info.file_size
        if name == HEADER:
            continue
        if not name.endswith(".npy"):
            raise ValueError(f"The file has a part that is no array: {name!r}.")
        with archive.open(info) as member:
            arrays[name.removesuffix(".npy")] = _array(member, info)
    return arrays


def _plain(archive, name, most):
    """The entry of that name, if it is not compressed, nor larger than that."""
    info = archive.getinfo(name)
    if info.file_size > most:
        raise ValueError("The parts of the file are larger than the file.")
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise ValueError(f"{name!r} is compressed: no file of skffnn's is.")
    return info


def holds_numbers(dtype):
    """Whether an array of that dtype has a place in a file."""
    plain = dtype.fields is None and dtype.subdtype is None
    return plain and dtype.kind in NUMBERS and dtype.itemsize <= WIDEST


def _array(member, info):
    """The array of an open entry; memory is taken when its bytes are known to be there.

    `numpy.load` takes it for whatever shape the entry says.
    """
    if npy.read_magic(member) != (1, 0):
        raise ValueError(f"{info.filename!r} is of another version of NumPy's format.")
    shape, fortran, dtype = npy.read_array_header_1_0(member, MOST)
    n = 1
    for length in shape:
        n *= length
    if not holds_numbers(dtype):
        raise ValueError(f"{info.filename!r} holds {dtype}, and no numbers.")
    if n < 0 or n * dtype.itemsize != info.file_size - member.tell():
        raise ValueError(f"{info.filename!r} has another shape than it says.")
    array = np.empty(shape, dtype, order="F" if fortran else "C")
    flat = array.reshape(-1, order="A").view(np.uint8)
    if member.readinto(flat.data) != flat.nbytes:
        raise ValueError(f"{info.filename!r} is cut short.")
    if dtype.kind == "b" and flat.max(initial=0) > 1:  # NumPy counts on it
        raise ValueError(f"{info.filename!r} holds truth values that are none.")
    if member.read(1):  # and with it the zip's own checksum is looked at
        raise ValueError(f"{info.filename!r} is longer than it says.")
    return array.astype(dtype.newbyteorder("="), copy=False)
