import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.networks.architectures import build, outline
from kdaudit.networks.taps import Taps, resolve, table


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(5, 7), nn.Linear(7, 6), nn.Linear(6, 3)])
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x))
        return self.layers[-1](x)


@pytest.fixture
def module():
    torch.manual_seed(0)
    return Small().eval()


ROWS = torch.linspace(-1, 1, 20).reshape(4, 5)


def test_taps_give_what_layers_give_and_are_given(module):
    with Taps(module, ["layers.1", "layers.1:in", ":in"]) as taps:
        given = taps(ROWS)
    first = torch.tanh(module.layers[0](ROWS))
    assert torch.equal(given["layers.1:in"], first)
    assert torch.equal(given["layers.1"], module.layers[1](first))
    assert torch.equal(given[":in"], ROWS)
    assert torch.equal(given[""], module(ROWS))
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_stars_stand_for_names_between_dots(module):
    assert resolve(module, "layers.*") == ("layers.0", "layers.1", "layers.2")
    assert resolve(module, "layers.*:in")[0] == "layers.0:in"
    assert resolve(module, "*") == ("layers", "unused")


@pytest.mark.parametrize(
    ("name", "told"),
    [("layers.9", "close names are layers"), ("encoder", "there are layers"), ("layers.0:out", "endings are in, map")],
)
def test_an_unknown_layer_is_told_before_anything_runs(module, name, told):
    with pytest.raises(InvalidInput, match=told):
        Taps(module, [name])
    assert not module._forward_hooks


def test_a_layer_that_does_not_run_is_told(module):
    with Taps(module, ["unused"]) as taps, pytest.raises(InvalidInput, match="'unused' did not run"):
        taps(ROWS)


def test_the_table_names_every_layer_and_its_shape(module):
    assert "(n, 6)" not in str(Taps(module)) and "when rows have gone through" in str(Taps(module))
    shown = table(module, ROWS)
    assert "(n, 6)" in next(line for line in shown.splitlines() if line.startswith("layers.1 "))
    assert len(shown.splitlines()) == 1 + 5
    with Taps(module.train(), ["layers.0"]) as taps:
        taps(ROWS)
        assert str(taps) == shown
    assert module.training


@pytest.mark.parametrize(
    ("architecture", "keys", "line"),
    [
        ("mlp", {"inputs": 5, "hidden": [6]}, "layers.0  Linear                    (n, 6)"),
        ("cnn", {"shape": [1, 8, 8], "hidden": [4, 6]}, "blocks.1.0  Conv2d                    (n, 6, 4, 4)"),
        ("transformer", {"vocabulary": 9, "length": 7, "width": 4, "hidden": [5], "heads": 2}, "(n, 7, 4)"),
        ("soft_tree", {"inputs": 5, "depth": 2}, "questions  Linear                    (n, 3)"),
    ],
)
def test_a_module_that_says_how_long_a_row_is_shows_its_shapes_at_once(architecture, keys, line):
    made = build(architecture, {"outputs": 3} | keys, 0)
    assert line in str(Taps(made)) and made.training and not made._forward_hooks
    assert "when rows have gone through" not in str(Taps(made))
    assert "when rows have gone through" in str(Taps(outline(architecture, {"outputs": 3} | keys)))


def test_looking_at_shapes_leaves_running_means_alone():
    module = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4)).train()
    assert "(n, 4)" in table(module, ROWS)
    assert not module[1].running_mean.any()
    assert module[1].training


@pytest.mark.parametrize("layer", [":in", "layers.0"])
def test_gradients_are_those_of_finite_differences(layer):
    torch.manual_seed(0)
    module = Small().double().eval().requires_grad_(requires_grad=False)
    rows, classes = ROWS.double(), torch.tensor([0, 1, 2, 0])
    with Taps(module, ["gradient@" + layer]) as taps, torch.no_grad():
        slope = taps(rows, classes)["gradient@" + layer]
    start = rows if layer == ":in" else module.layers[0](rows)

    def value(x):
        for inner in module.layers[0 if layer == ":in" else 1 :]:
            x = inner(x) if layer != ":in" or inner is module.layers[0] else inner(torch.tanh(x))
        return x

    def chosen(x):
        h = x if layer == ":in" else torch.tanh(x)
        z = value(h)
        if layer != ":in":
            z = module.layers[2](torch.tanh(module.layers[1](h)))
        return z[torch.arange(4), classes] - z.mean(dim=1)

    step = 1e-6
    for column in range(start.shape[1]):
        moved = torch.zeros_like(start)
        moved[:, column] = step
        slow = (chosen(start + moved) - chosen(start - moved)) / (2 * step)
        assert slow.numpy() == pytest.approx(slope[:, column].numpy(), abs=1e-7)


def test_gradients_of_a_learning_module_can_be_differentiated_again(module):
    module.train()
    with Taps(module, ["gradient@:in"]) as taps:
        given = taps(ROWS)
    (given["gradient@:in"] ** 2).sum().backward()
    assert module.layers[0].weight.grad.abs().sum() > 0


def test_whole_numbers_have_no_gradient():
    module = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 2))
    tokens = torch.arange(6).reshape(2, 3)
    with Taps(module, ["gradient@:in"]) as taps, pytest.raises(NoSuchSignal, match="name the layer that embeds"):
        taps(tokens)
    with Taps(module.eval().requires_grad_(requires_grad=False), ["gradient@0"]) as taps:
        assert taps(tokens)["gradient@0"].shape == (2, 3, 4)


def slow_maps(query, key, there):
    """Softmax over the tokens that are there, one row, head and token at a time; 0 for padding."""
    n, heads, tokens, width = query.shape
    out = np.zeros((n, heads, tokens, tokens))
    for i in range(n):
        for h in range(heads):
            for a in range(tokens):
                if there[i, a]:
                    scores = [
                        float(query[i, h, a] @ key[i, h, b]) / width**0.5 if there[i, b] else -np.inf
                        for b in range(tokens)
                    ]
                    e = np.exp(np.array(scores) - max(scores))
                    out[i, h, a] = e / e.sum()
    return out


class Fused(nn.Module):
    """Attention that returns no maps."""

    def __init__(self, width=8, heads=2):
        super().__init__()
        self.heads, self.three = heads, nn.Linear(width, 3 * width)

    def split(self, x):
        return [p.unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in self.three(x).chunk(3, dim=-1)]

    def forward(self, x):
        there = x.abs().sum(dim=2) > 0
        mixed = torch.nn.functional.scaled_dot_product_attention(*self.split(x), attn_mask=there[:, None, None])
        return mixed.transpose(1, 2).flatten(2)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = Fused(), Fused(), nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.second(self.first(x) + x).mean(dim=1))


def padded(n=3, tokens=5, width=8):
    x = torch.randn(n, tokens, width, generator=torch.Generator().manual_seed(1))
    x[0, 3:] = 0
    x[1, 4:] = 0
    return x


def test_maps_are_caught_where_the_kernel_returns_none():
    torch.manual_seed(0)
    module, x = Reader().eval(), padded()
    with torch.no_grad():
        plain = module(x)
        with Taps(module, ["first:map", "first:value", "second:map"]) as taps:
            given = taps(x)
    query, key, value = (p.detach() for p in module.first.split(x))
    there = (x.abs().sum(dim=2) > 0).numpy()
    assert given["first:map"].numpy() == pytest.approx(slow_maps(query, key, there), abs=1e-6)
    assert torch.equal(given["first:value"], value * torch.from_numpy(there)[:, None, :, None])
    assert torch.equal(given[""], plain)
    # the padding of later layers is the mask's, too
    assert given["second:map"].shape == (3, 2, 5, 5)


def test_a_layer_with_several_attentions_or_none_is_told():
    module, x = Reader(), padded()
    with Taps(module, [":map"]) as taps, pytest.raises(NoSuchSignal, match="2 attentions ran in it"):
        taps(x)
    with Taps(module, ["head:map"]) as taps, pytest.raises(NoSuchSignal, match="neither calls"):
        taps(x)


def test_maps_of_torchs_own_encoder_equal_those_it_returns():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    module = nn.Sequential(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)).eval()
    x = padded()
    with torch.no_grad(), Taps(module, ["0.layers.0.self_attn:map", "0.layers.1.self_attn:map"]) as taps:
        given = taps(x)
        attend = module[0].layers[0].self_attn
        _, maps = attend(x, x, x, need_weights=True, average_attn_weights=False)
    assert torch.allclose(given["0.layers.0.self_attn:map"], maps, atol=1e-6)
    assert torch.allclose(given["0.layers.1.self_attn:map"].sum(dim=-1), torch.ones(3, 2, 5))


def test_maps_of_a_hugging_face_model_equal_its_eager_form():
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    torch.manual_seed(0)
    model = transformers.BertModel(config, add_pooling_layer=False).eval()

    class Read(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, tokens):
            return self.model(tokens, attention_mask=(tokens > 0).long()).last_hidden_state[:, 0]

    tokens = torch.tensor([[3, 4, 5, 6, 7], [8, 9, 10, 0, 0]])
    module, name = Read(), "model.encoder.layer.*.attention.self:map"
    with torch.no_grad(), Taps(module, [name]) as taps:
        fused = taps(tokens)
    model.set_attn_implementation("eager")
    with torch.no_grad(), Taps(module, [name]) as taps:
        eager = taps(tokens)
    assert len(taps.names) == 2
    there = (tokens > 0)[:, None, :, None]
    for layer in taps.names:
        assert torch.allclose(fused[layer], eager[layer] * there, atol=1e-6)
        assert fused[layer][1, :, :, 3:].abs().max() == 0


def test_maps_of_the_kept_transformer_leave_padding_out():
    module = build(
        "transformer", {"vocabulary": 20, "length": 5, "outputs": 2, "width": 8, "hidden": [16, 16]}, 0
    ).eval()
    words = torch.tensor([[3.0, 4, 5, 6, 7], [8, 9, 0, 0, 0]])
    with torch.no_grad(), Taps(module, ["layers.*.attention:map", "layers.0.attention:query"]) as taps:
        given = taps(words)
    for layer in ("layers.0.attention:map", "layers.1.attention:map"):
        sums = given[layer].sum(dim=-1)
        assert torch.allclose(sums[0], torch.ones(2, 5))
        assert sums[1].numpy() == pytest.approx(np.array([[1, 1, 0, 0, 0]] * 2), abs=1e-6)
    assert given["layers.0.attention:query"][1, :, 2:].abs().max() == 0


TEXTS = torch.tensor([[3, 5, 0, 0], [1, 0, 0, 0], [2, 4, 6, 7]], dtype=torch.float32)


@pytest.mark.parametrize(
    ("kind", "tap"), [("transformer", "layers.0"), ("word_cnn", "layers.1"), ("word_cnn", "embedding")]
)
def test_what_tokens_give_for_padding_is_nothing(kind, tap):
    module = build(kind, {"vocabulary": 9, "length": 4, "outputs": 2, "width": 6, "hidden": [5, 8]}, 0).eval()
    with Taps(module, [tap, "head", tap + ":in"]) as taps:
        given = taps(TEXTS)
    assert given[tap].shape[:2] == TEXTS.shape
    assert torch.equal((given[tap] != 0).any(dim=2), TEXTS != 0)
    assert given["head"].shape == (3, 2)
    if tap != "embedding":
        assert not given[tap + ":in"][TEXTS == 0].any()


class Foreign(nn.Module):
    """A module of somebody else: which tokens are padding is known to its attention only."""

    def __init__(self, fused):
        super().__init__()
        self.embedding, self.plain = nn.Embedding(9, 8), nn.Linear(8, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True)
        self.encoder, self.fused = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), fused

    def forward(self, x):
        there = x != 0
        tokens = self.plain(self.embedding(x.long()))
        if self.fused:
            heads = tokens.reshape(*x.shape, 2, 4).transpose(1, 2)
            mask = there[:, None, None].expand(-1, 1, x.shape[1], -1)
            taken = nn.functional.scaled_dot_product_attention(heads, heads, heads, attn_mask=mask)
            tokens = taken.transpose(1, 2).reshape(*x.shape, 8)
        else:
            tokens = self.encoder(tokens, src_key_padding_mask=~there)
        return (tokens * there[..., None]).sum(dim=1)


@pytest.mark.parametrize("fused", [True, False])
def test_the_mask_of_an_attention_tells_which_tokens_of_a_foreign_module_are_padding(fused):
    torch.manual_seed(0)
    module = Foreign(fused).eval()
    with Taps(module, ["plain"]) as taps:
        for _ in range(2):
            assert torch.equal((taps(TEXTS)["plain"] != 0).any(dim=2), TEXTS != 0)
