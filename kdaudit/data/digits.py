"""Handwritten digits: 1,797 of 8 x 8 pixels that come with scikit-learn, and the 70,000 of MNIST."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kdaudit.digest import of_arrays, of_data, of_file
from kdaudit.domain import Domain, Image
from kdaudit.errors import InvalidInput
from kdaudit.samples import Origin, Samples

DIGITS = Domain((Image("digit", (1, 8, 8)),))
MNIST = Domain((Image("digit", (1, 28, 28)),))
CLASSES = tuple("0123456789")
DIGITS_TITLE = "Optical recognition of handwritten digits, UCI, test part"
MNIST_TITLE = "MNIST handwritten digits"
FILES = (
    ("train", "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    ("test", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
)
_UNSIGNED_BYTES = 8


def bundled_digits() -> Samples:
    """Return the 1,797 pictures of `sklearn.datasets.load_digits`; labels are 0 to 9.

    References
    ----------
    Alpaydin and Kaynak 1998, UCI repository.
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    # sums of black pixels in blocks of 4 x 4
    pictures = (found.images / 16.0).astype(np.float32)[:, None]
    origin = Origin(DIGITS_TITLE, "digits", of_arrays({"digit": pictures}))
    return Samples(DIGITS, {"digit": pictures}, np.arange(len(pictures)), origin, found.target.astype(np.int64))


def mnist_rows(folder: Path) -> Samples:
    """Return the pictures in `folder`, those of the training files first; ids are such as ``"test 12"``.

    Raises
    ------
    InvalidInput
        If a file is missing or is no such file.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner 1998.
    """
    pictures, labels, ids = [], [], []
    for part, images, digits in FILES:
        pictures.append(_read(folder / images, 3))
        labels.append(_read(folder / digits, 1))
        if len(pictures[-1]) != len(labels[-1]):
            raise InvalidInput(f"{folder / images} holds {len(pictures[-1])} pictures for {len(labels[-1])} labels")
        ids += [f"{part} {i}" for i in range(len(labels[-1]))]
    values = np.concatenate(pictures)[:, None].astype(np.float32)
    values /= 255
    origin = Origin(MNIST_TITLE, "mnist", of_data([of_file(folder / name) for _, *names in FILES for name in names]))
    return Samples(MNIST, {"digit": values}, np.array(ids), origin, np.concatenate(labels).astype(np.int64))


def _read(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the bytes of an IDX file: two zeros, kind, number of dimensions, their sizes, then the values."""
    try:
        data = gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}") from error
    head = 4 + 4 * dimensions
    if data[:4] != bytes((0, 0, _UNSIGNED_BYTES, dimensions)) or len(data) < head:
        raise InvalidInput(f"{path} is no IDX file of bytes in {dimensions} dimensions")
    sizes = struct.unpack(f">{dimensions}I", data[4:head])
    values = np.frombuffer(data, dtype=np.uint8, offset=head)
    if len(values) != int(np.prod(sizes)):
        raise InvalidInput(f"{path} holds {len(values)} bytes; its head says {' x '.join(map(str, sizes))}")
    return values.reshape(sizes)
