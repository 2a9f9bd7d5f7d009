import json

import numpy as np
import pytest

from kdaudit.domain import Domain, Image, Real
from kdaudit.errors import InvalidInput, OutOfDomain
from kdaudit.pictures import Pictures, corners
from kdaudit.samples import Origin, Samples

DOMAIN = Domain((Image("digit", (2, 5, 6)),))


def pictures(n=7, seed=0, domain=DOMAIN):
    values = np.random.default_rng(seed).random((n, *domain.fields[0].shape))
    return Samples(domain, {"digit": values}, np.arange(n), Origin("drawn"))


def test_pixels_are_standardised_by_one_mean_and_scale():
    samples = pictures()
    encoding = Pictures.fitted(samples)
    encoded = encoding.encode(samples)
    assert encoded.shape == (7, 60)
    assert encoded.dtype == np.float32
    values = samples.columns["digit"].astype(float)
    for row, channel, y, x in ((0, 0, 0, 0), (3, 1, 4, 5), (6, 0, 2, 3)):
        expected = (values[row, channel, y, x] - values.mean()) / values.std()
        assert encoded[row, channel * 30 + y * 6 + x] == pytest.approx(expected, abs=1e-5)


def test_each_pixel_belongs_to_one_patch_with_all_its_channels():
    units = Pictures.fitted(pictures(), patch=2).units
    assert len(units) == 9
    assert sorted(column for columns in units.columns for column in columns) == list(range(60))
    assert units.names[0] == "digit 0,0"
    assert units.columns[0] == (0, 1, 6, 7, 30, 31, 36, 37)
    assert len(units.columns[-1]) == 4


def test_patches_are_four_along_the_shorter_side():
    assert Pictures.fitted(pictures()).patch == 2
    assert Pictures.fitted(pictures(domain=Domain((Image("digit", (1, 28, 28)),)))).patch == 7
    assert Pictures.fitted(pictures(domain=Domain((Image("digit", (1, 2, 2)),)))).patch == 1


def test_a_missing_picture_is_grey():
    domain = Domain((Image("digit", (1, 2, 2), missing=True),))
    values = np.random.default_rng(0).random((3, 1, 2, 2))
    values[1] = np.nan
    samples = Samples(domain, {"digit": values}, np.arange(3), Origin("drawn"))
    encoded = Pictures.fitted(samples).encode(samples)
    assert not encoded[1].any()
    assert np.isfinite(encoded).all()
    with pytest.raises(OutOfDomain, match="digit in row 1 has pixels outside 0 to 1"):
        Samples(Domain((Image("digit", (1, 2, 2)),)), {"digit": values}, np.arange(3), Origin("drawn"))


def test_it_comes_back_from_json():
    encoding = Pictures.fitted(pictures())
    assert Pictures.from_data(json.loads(json.dumps(encoding.to_data()))) == encoding


def test_what_is_no_such_picture_is_refused():
    with pytest.raises(OutOfDomain, match="expected"):
        Samples(DOMAIN, {"digit": np.zeros((3, 2, 5, 5))}, np.arange(3), Origin("drawn"))
    with pytest.raises(OutOfDomain, match="pixels outside 0 to 1"):
        Samples(DOMAIN, {"digit": np.full((3, 2, 5, 6), 255)}, np.arange(3), Origin("drawn"))
    with pytest.raises(InvalidInput, match="one picture and nothing else"):
        Pictures(Domain((Real("x"),)), 0.0, 1.0, 2)
    other = pictures(domain=Domain((Image("digit", (1, 3, 3)),)))
    with pytest.raises(OutOfDomain, match="pictures of shape"):
        Pictures.fitted(pictures()).encode(other)


def test_equal_pictures_have_equal_keys():
    one = pictures()
    values = one.columns["digit"].copy()
    values[0, 0, 0, 0] = 0.0
    zero = Samples(DOMAIN, {"digit": values}, one.ids, one.origin)
    values = values.copy()
    values[0, 0, 0, 0] = -0.0
    minus = Samples(DOMAIN, {"digit": values}, one.ids, one.origin)
    assert (zero.keys() == minus.keys()).all()
    assert (one.keys() == zero.keys()).tolist() == [False] + [True] * 6


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 10, 6), (1, 28, 28)])
def test_corners_are_those_of_the_units(shape):
    encoding = Pictures.fitted(pictures(domain=Domain((Image("digit", shape),))))
    _, height, width = shape
    found = corners(encoding.units.names, encoding.image)
    assert len(found) == len(encoding.units.names)
    for (top, left, bottom, right), columns in zip(found, encoding.units.columns, strict=True):
        pixels = np.zeros(shape)
        pixels[:, round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = 1
        np.testing.assert_array_equal(np.flatnonzero(pixels), np.sort(columns))


def test_what_are_no_patches_of_the_picture_have_no_corners():
    assert corners(("age", "digit 0,0"), DOMAIN.fields[0]) == ()
    assert corners(("digit 0,0", "digit 0,0"), DOMAIN.fields[0]) == ()
    assert corners(("scan 0,0",), DOMAIN.fields[0]) == ()
