"""Which rows a maker asked beyond those given: written once, read back as they were."""

import numpy as np
import pytest

from kdaudit.auditing.beyond import FILE, note, noted
from kdaudit.errors import BrokenRun


@pytest.mark.parametrize(
    "keys", [np.array([b"a" * 16, b"b" * 15 + b"\0", b"\0" * 16], dtype="S16"), np.array(["00ff7", "00ff8", "9"])]
)
def test_keys_come_back(tmp_path, keys):
    before = np.sort(keys)[:1]
    note(tmp_path, before, np.sort(keys))
    back = noted(tmp_path)
    assert back.dtype.kind == keys.dtype.kind
    assert sorted(back.tolist()) == sorted(np.setdiff1d(keys, before).tolist())


def test_nothing_asked_leaves_no_file(tmp_path):
    note(tmp_path, np.array([b"a"], dtype="S16"), np.array([b"a"], dtype="S16"))
    assert noted(tmp_path) is None


@pytest.mark.parametrize("text", ["[]", "{", '{"keys": "content", "rows": ["zz"]}', '{"keys": "content", "rows": [1]}'])
def test_a_spoilt_file_is_refused(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(BrokenRun):
        noted(tmp_path)
