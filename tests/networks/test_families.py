"""Do networks of pictures and texts compute what they say, the same for a row in every company?"""

import numpy as np
import pytest
import torch

from kdaudit.domain import Domain, Image, Real, Text
from kdaudit.encoders import fitted
from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import ARCHITECTURES, build, described
from kdaudit.networks.files import load, save
from kdaudit.networks.network import Network
from kdaudit.networks.products import steady
from kdaudit.networks.suiting import Shape, suiting
from kdaudit.samples import Origin, Samples
from kdaudit.signal import GRADIENT

FAMILIES = {
    "cnn": {"shape": [1, 8, 8], "outputs": 3, "hidden": [4, 6]},
    "cnn deep": {"shape": [3, 9, 7], "outputs": 2, "hidden": [3, 5], "depth": 2, "separable": True},
    "transformer": {"vocabulary": 50, "length": 9, "outputs": 3, "width": 10, "hidden": [7], "heads": 2},
    "patch_transformer": {"shape": [1, 8, 8], "outputs": 3, "patch": 2, "width": 6, "hidden": [5, 9], "heads": 3},
    "word_cnn": {"vocabulary": 50, "length": 9, "outputs": 3, "width": 5, "hidden": [7, 4]},
    "soft_tree": {"inputs": 20, "outputs": 3, "depth": 3, "numbers": False},
    "mlp": {"inputs": 20, "outputs": 3, "hidden": [5, 4], "exits": True},
}


def _rows(arguments, n=64, seed=0):
    rng = np.random.default_rng(seed)
    if "vocabulary" not in arguments:
        return torch.from_numpy(
            rng.normal(size=(n, arguments.get("inputs") or int(np.prod(arguments["shape"])))).astype(np.float32)
        )
    rows = rng.integers(1, arguments["vocabulary"], (n, arguments["length"])).astype(np.float32)
    lengths = rng.integers(0, arguments["length"] + 1, n)
    rows[np.arange(arguments["length"]) >= lengths[:, None]] = 0
    return torch.from_numpy(rows)


@pytest.fixture(params=FAMILIES)
def family(request):
    arguments = FAMILIES[request.param]
    return request.param.split()[0], arguments


def test_weights_depend_on_the_seed_alone(family):
    first, again, other = (build(*family, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    assert all(torch.isfinite(tensor).all() for tensor in first.values())


def test_a_module_describes_itself(family):
    name, arguments = family
    assert described(build(*family, 0))[0] == name
    assert described(build(*described(build(*family, 0)), 0)) == described(build(*family, 0))
    assert described(build(*family, 0))[1].items() >= arguments.items()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_row_has_the_same_bits_in_every_place(family, threads):
    module, rows = build(*family, 0).eval(), _rows(family[1])
    kept = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.no_grad(), steady():
            whole = module(rows)
            for shift in (1, 17, 63):
                assert torch.equal(module(torch.roll(rows, shift, 0)), torch.roll(whole, shift, 0))
            alone = torch.zeros_like(rows)
            alone[3] = rows[40]
            assert torch.equal(module(alone)[3], whole[40])
    finally:
        torch.set_num_threads(kept)


def test_sizes_that_cannot_be_are_refused():
    for name, arguments in (
        ("cnn", {"shape": [1, 8, 8], "outputs": 3, "hidden": [4] * 5}),
        ("cnn", {"shape": [8, 8], "outputs": 3}),
        ("cnn", {"shape": [1, 8, 8], "outputs": 0}),
        ("transformer", {"vocabulary": 5, "length": 2, "outputs": 1, "width": 7, "heads": 2}),
        ("transformer", {"vocabulary": 5, "length": 1.5, "outputs": 1}),
        ("patch_transformer", {"shape": [1, 8, 8], "outputs": 3, "patch": 3}),
    ):
        with pytest.raises(InvalidInput, match="cannot|whole number|no whole"):
            build(name, arguments, 0)
    # one that was trained elsewhere has no sizes to choose
    assert set(FAMILIES) - {"cnn deep"} == set(ARCHITECTURES) - {"pretrained"}


EXITS = {name: {**FAMILIES[name], "exits": True} for name in FAMILIES if name != "soft_tree"}
EXITS["transformer"] = EXITS["transformer"] | {"hidden": [7, 5]}


@pytest.mark.parametrize("name", EXITS)
def test_early_exits_change_nothing_but_stand_behind_each_layer_but_the_last(name):
    kind, arguments = name.split()[0], EXITS[name]
    with_exits, plain = (build(kind, {**arguments, "exits": wanted}, 0).eval() for wanted in (True, False))
    rows, seen = _rows(arguments), []
    with_exits.exits[-1].register_forward_hook(lambda part, given, out: seen.append(out))
    torch.testing.assert_close(with_exits(rows), plain(rows), rtol=0, atol=0)
    assert len(with_exits.exits) == len(arguments["hidden"]) - 1
    assert seen[0].shape == (len(rows), arguments["outputs"])
    assert described(with_exits)[1]["exits"] is True
    assert "exits" not in described(plain)[1]
    with pytest.raises(InvalidInput, match="two layers or more"):
        build(kind, {**arguments, "hidden": [6]}, 0)


def test_a_convolution_is_a_sum_over_neighbours():
    module = build("cnn", {"shape": [1, 4, 4], "outputs": 2, "hidden": [3]}, 0).eval()
    picture = np.random.default_rng(0).normal(size=(4, 4))
    weights = module.blocks[0][0].weight.detach().numpy()
    wide, means = np.pad(picture, 1), []
    for channel in weights:
        values = [(channel[0] * wide[r : r + 3, c : c + 3]).sum() for r in range(4) for c in range(4)]
        # a norm that has met nothing yet divides by the square root of 1 + 1e-5
        means.append(np.mean(np.maximum(np.array(values) / np.sqrt(1 + 1e-5), 0)))
    expected = module.head.weight.detach().numpy() @ means + module.head.bias.detach().numpy()
    given = module(torch.from_numpy(picture.astype(np.float32).reshape(1, -1))).detach().numpy()[0]
    np.testing.assert_allclose(given, expected, atol=1e-5)


def test_attention_is_a_weighted_mean_of_what_is_present():
    module = build("transformer", {**FAMILIES["transformer"], "hidden": [4]}, 3).eval().layers[0].attention
    tokens = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 5, 10)).astype(np.float32))
    present = torch.tensor([[True, True, False, True, False]])
    q, k, v = (part(tokens)[0].detach().numpy() for part in (module.query, module.key, module.value))
    taken = np.zeros((5, 10))
    for head in (slice(0, 5), slice(5, 10)):
        for token in range(5):
            scores = [q[token, head] @ k[other, head] / np.sqrt(5) for other in (0, 1, 3)]
            shares = np.exp(scores) / np.exp(scores).sum()
            taken[token, head] = sum(s * v[other, head] for s, other in zip(shares, (0, 1, 3), strict=True))
    expected = module.output(torch.from_numpy(taken.astype(np.float32)))
    torch.testing.assert_close(module(tokens, present)[0], expected, atol=1e-5, rtol=1e-5)


def test_a_convolution_of_words_looks_at_three_and_not_at_padding():
    module = build("word_cnn", {**FAMILIES["word_cnn"], "hidden": [4]}, 0).eval()
    numbers = [7, 3, 11, 2]
    vectors = np.vstack([np.zeros(5), module.embedding.weight.detach().numpy()[numbers], np.zeros(5)])
    weights, bias = (part.detach().numpy() for part in (module.layers[0].weight, module.layers[0].bias))
    each = [[(w * vectors[i : i + 3].T).sum() + b for w, b in zip(weights, bias, strict=True)] for i in range(4)]
    expected = module.head(torch.tensor(np.maximum(each, 0).max(axis=0), dtype=torch.float32))
    given = module(torch.tensor([[*numbers, 0, 0, 0, 0, 0]], dtype=torch.float32))[0]
    torch.testing.assert_close(given, expected, atol=1e-5, rtol=1e-5)


def test_padding_and_the_words_behind_it_change_nothing():
    module = build("transformer", FAMILIES["transformer"], 0).eval()
    longer = build("transformer", {**FAMILIES["transformer"], "length": 20}, 0).eval()
    state = module.state_dict()
    state["places.weight"] = torch.cat([state["places.weight"], torch.ones(11, 10)])
    longer.load_state_dict(state)
    rows = _rows(FAMILIES["transformer"])
    filled = torch.cat([rows, torch.zeros(len(rows), 11)], dim=1)
    torch.testing.assert_close(longer(filled), module(rows), atol=1e-6, rtol=1e-5)
    assert torch.isfinite(module(torch.zeros(2, 9))).all()


def test_patches_are_cut_as_they_lie():
    module = build("patch_transformer", {**FAMILIES["patch_transformer"], "hidden": []}, 0).eval()
    pictures = _rows(FAMILIES["patch_transformer"], 3)
    seen = []
    module.embedding.register_forward_hook(lambda part, given, out: seen.append(given[0]))
    module(pictures)
    grid = pictures.reshape(3, 8, 8)
    assert torch.equal(seen[0][1, 5], grid[1, 2:4, 2:4].reshape(-1))
    assert torch.equal(seen[0][2, 15], grid[2, 6:8, 6:8].reshape(-1))


def _pictures(n=30):
    values = np.random.default_rng(0).random((n, 1, 8, 8))
    return Samples(Domain((Image("digit", (1, 8, 8)),)), {"digit": values}, np.arange(n), Origin("drawn"))


def _texts(n=30):
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(20)])
    texts = np.array([" ".join(rng.choice(words, rng.integers(1, 9))) for _ in range(n)], dtype=object)
    return Samples(Domain((Text("said"),)), {"said": texts}, np.arange(n), Origin("drawn"))


@pytest.mark.parametrize("rows", [_pictures(), _texts()], ids=["pictures", "texts"])
def test_networks_of_pictures_and_texts_come_back_from_disk(rows, tmp_path):
    encoder = fitted(rows)
    if isinstance(rows.domain.fields[0], Image):
        module = build("cnn", {"shape": [1, 8, 8], "outputs": 2, "hidden": [3]}, 0)
    else:
        sizes = {"vocabulary": encoder.vocabulary, "length": encoder.length, "width": 6, "hidden": [5]}
        module = build("transformer", {**sizes, "outputs": 2}, 0)
    network = Network("net", module, encoder, ("a", "b"))
    save(network, tmp_path)
    again = load(tmp_path)
    assert again.identity == network.identity
    assert again.encoding == encoder
    assert np.array_equal(again.raw(encoder.encode(rows)), network.raw(encoder.encode(rows)))
    assert (GRADIENT in network.offers) == isinstance(rows.domain.fields[0], Image)


@pytest.mark.parametrize(
    ("family", "rows", "architecture"),
    [
        ("mlp", _pictures(), "mlp"),
        ("soft_tree", _pictures(), "soft_tree"),
        ("cnn", _pictures(), "cnn"),
        ("transformer", _pictures(), "patch_transformer"),
        ("cnn", _texts(), "word_cnn"),
        ("transformer", _texts(), "transformer"),
    ],
)
def test_a_family_gets_what_suits_the_rows(family, rows, architecture):
    encoder = fitted(rows)
    name, arguments = suiting(Shape(family, (6,), 4, 2), encoder, 3)
    assert name == architecture
    assert build(name, arguments, 0)(torch.from_numpy(encoder.encode(rows))).shape == (len(rows), 3)


def test_rows_that_a_family_cannot_read_are_refused():
    table = Samples(Domain((Real("x"),)), {"x": np.arange(3.0)}, np.arange(3), Origin("counted"))
    for family, rows, words in (("cnn", table, "take an mlp"), ("mlp", _texts(), "take a cnn or a transformer")):
        with pytest.raises(InvalidInput, match=words):
            suiting(Shape(family), fitted(rows), 1)
