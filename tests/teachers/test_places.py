import pytest

from kdaudit.errors import InvalidInput
from kdaudit.teachers.places import located


def test_relative_paths_stay_below_the_plan_and_absolute_ones_may_lie_elsewhere(tmp_path):
    plan = tmp_path / "plan"
    (plan / "models").mkdir(parents=True)
    inside, outside = plan / "models" / "a.onnx", tmp_path / "b.onnx"
    inside.write_bytes(b"x")
    outside.write_bytes(b"x")
    assert located("models/a.onnx", plan) == inside.resolve()
    assert located("models/../models/a.onnx", plan) == inside.resolve()
    assert located(str(outside), plan) == outside.resolve()
    with pytest.raises(InvalidInput, match=r"\.\./b\.onnx leads out of the plan's folder"):
        located("../b.onnx", plan)
    with pytest.raises(InvalidInput, match="leads out"):
        located(str(outside), plan, inside=True)
    assert located(str(inside), plan, inside=True) == inside.resolve()


def test_links_are_followed(tmp_path):
    plan = tmp_path / "plan"
    plan.mkdir()
    (tmp_path / "b.py").write_text("")
    (plan / "link.py").symlink_to(tmp_path / "b.py")
    (plan / "up").symlink_to(tmp_path)
    for path in ("link.py", "up/b.py"):
        with pytest.raises(InvalidInput, match="leads out of the plan's folder"):
            located(path, plan)
    (tmp_path / "plan2").symlink_to(plan)
    (plan / "a.py").write_text("")
    assert located("a.py", tmp_path / "plan2") == (plan / "a.py").resolve()


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(InvalidInput, match="model does not exist below"):
        located("model", tmp_path)
    with pytest.raises(InvalidInput, match="does not exist"):
        located(str(tmp_path / "model"), tmp_path)
