import numpy as np
import pytest
import torch

from kdaudit.domain import Domain, Real
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidAnswers, InvalidInput, NoSuchSignal, OutOfDomain
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.samples import Origin, Samples
from kdaudit.signal import GRADIENT, LABEL, LOGIT, SCORE
from kdaudit.subject import Subject


def test_it_is_a_subject_and_its_form_tells_its_layers(make):
    network = make()
    assert isinstance(network, Subject)
    assert network.form.architecture == "mlp"
    assert network.form.parameters == sum(p.numel() for p in network.module.parameters())
    assert network.form.shapes["layers.0.weight"] == (16, network.encoding.width)


def test_logits_are_those_of_the_module_on_the_encoded_rows(make, samples):
    network = make(("a", "b", "c"))
    answers = network.answer(samples, [LOGIT, SCORE, LABEL])
    given = network.module(torch.from_numpy(network.encoding.encode(samples))).numpy()
    np.testing.assert_allclose(answers.logit, given, rtol=1e-5, atol=1e-6)
    exponents = np.exp(given.astype(np.float64))
    np.testing.assert_allclose(answers.score, exponents / exponents.sum(axis=1, keepdims=True), atol=1e-6)
    assert (answers.label == given.argmax(axis=1)).all()
    assert answers.logit.dtype == np.float64


@pytest.mark.parametrize("batch", [64, 128, 256, 512, 1024])
@pytest.mark.parametrize(("hidden", "outputs"), [((64, 32), 1), ((32,), 3), ((300, 200), 10), ((), 1)])
def test_a_row_has_the_same_bits_alone_and_in_any_company(samples, batch, hidden, outputs):
    encoding = Encoding.fitted(samples)
    module = build("mlp", {"inputs": encoding.width, "outputs": outputs, "hidden": list(hidden)}, 0)
    network = Network("n", module, encoding, [f"o{i}" for i in range(outputs)], batch=batch)
    full = network.answer(samples, [LOGIT]).logit
    order = np.random.default_rng(0).permutation(len(samples))
    assert (network.answer(samples.take(order), [LOGIT]).logit == full[order]).all()
    for row in range(0, len(samples), 29):
        assert (network.answer(samples.take([row]), [LOGIT]).logit[0] == full[row]).all()
        assert (network.answer(samples.take([row, 7]), [LOGIT]).logit == full[[row, 7]]).all()


def test_training_the_original_further_changes_neither_answers_nor_identity(samples):
    encoding = Encoding.fitted(samples)
    module = build("mlp", {"inputs": encoding.width, "outputs": 1, "hidden": [4]}, 0)
    network = Network("n", module, encoding, ("yes",))
    before = network.answer(samples, [LOGIT]).logit
    with torch.no_grad():
        module.layers[0].weight.add_(1.0)
    assert (network.answer(samples, [LOGIT]).logit == before).all()
    assert Network("n", module, encoding, ("yes",)).identity != network.identity


def test_buffers_stay_as_they_are_and_dropout_is_off(samples):
    encoding = Encoding.fitted(samples)
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(encoding.width, 6), torch.nn.BatchNorm1d(6), torch.nn.Dropout(0.5), torch.nn.Linear(6, 1)
    )
    network = Network("n", module, encoding, ("yes",))
    before, state = network.module[1].running_mean.clone(), torch.get_rng_state()
    first, second = (network.answer(samples, [LOGIT, GRADIENT]).logit for _ in range(2))
    assert (first == second).all()
    assert torch.equal(network.module[1].running_mean, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert module.training


def _identity(make, **changes):
    return make(**changes).identity.digest


def test_identity_is_content(make, samples):
    same = _identity(make)
    assert _identity(make) == same
    assert _identity(make, seed=1) != same
    assert _identity(make, outputs=("no",)) != same
    assert _identity(make, batch=512) != same
    assert _identity(make, scale="value") != same
    network = make()
    shifted = Encoding(network.encoding.domain, (40.0, 40.0), network.encoding.scales)
    assert Network("n", network.module, shifted, ("yes",)).identity.digest != same
    assert Network("another name", network.module, network.encoding, ("yes",)).identity.digest == same


def test_roles_and_ranges_are_no_part_of_the_identity(make):
    network = make()
    fields = tuple(
        type(f)(**{**vars(f), "protected": not f.protected, "immutable": True}) for f in network.encoding.domain.fields
    )
    encoding = Encoding(Domain(fields), network.encoding.means, network.encoding.scales)
    assert Network("n", network.module, encoding, ("yes",)).identity.digest == network.identity.digest


def test_identity_sees_an_activation_a_slope_a_buffer_and_the_code(samples):
    encoding = Encoding.fitted(samples)
    linear = build("mlp", {"inputs": encoding.width, "outputs": 1, "hidden": []}, 0).layers[0]

    class Shifted(torch.nn.Module):
        def __init__(self, shift):
            super().__init__()
            self.linear, self.shift = linear, shift

        def forward(self, rows):
            return self.linear(rows) + self.shift

    class Doubled(torch.nn.Module):
        def __init__(self, shift):
            super().__init__()
            self.linear, self.shift = linear, shift

        def forward(self, rows):
            return 2 * self.linear(rows) + self.shift

    class Buffered(torch.nn.Module):
        def __init__(self, value):
            super().__init__()
            self.linear = linear
            self.register_buffer("hidden", torch.tensor(value), persistent=False)

        def forward(self, rows):
            return self.linear(rows) * self.hidden

    modules = [
        torch.nn.Sequential(linear, torch.nn.Tanh()),
        torch.nn.Sequential(linear, torch.nn.ReLU()),
        torch.nn.Sequential(linear, torch.nn.LeakyReLU(0.1)),
        torch.nn.Sequential(linear, torch.nn.LeakyReLU(0.2)),
        Shifted(0.0),
        Shifted(1.0),
        Doubled(0.0),
        Buffered(1.0),
        Buffered(2.0),
    ]
    digests = [Network("n", module, encoding, ("yes",)).identity.digest for module in modules]
    assert len(set(digests)) == len(modules)


def test_numbers_have_scores_and_gradients_only(make, samples):
    network = make(scale="value")
    assert network.offers == {SCORE, GRADIENT}
    assert (network.answer(samples, [SCORE]).score == make().answer(samples, [LOGIT]).logit).all()
    with pytest.raises(NoSuchSignal, match="small network does not offer label"):
        network.answer(samples, [LABEL])


def test_what_is_wrong_is_said(make, samples):
    network = make()
    other = Samples(Domain((Real("weight"),)), {"weight": np.ones(2)}, np.arange(2), Origin("x"))
    with pytest.raises(OutOfDomain, match="age, hours, sex, work were expected"):
        network.answer(other, [LOGIT])
    with pytest.raises(InvalidInput, match="a multiple of 64"):
        make(batch=100)
    with pytest.raises(InvalidInput, match="one a class"):
        Network("n", network.module, network.encoding, "yes")
    with pytest.raises(InvalidInput, match=r"\(rows, 9\) was expected"):
        network.raw(np.zeros((3, 4), dtype=np.float32))
    with pytest.raises(InvalidAnswers, match=r"shape \(256, 1\) for 256 rows; \(256, 2\) was expected"):
        Network("n", network.module, network.encoding, ("a", "b")).answer(samples, [LOGIT])
    broken = build("mlp", {"inputs": network.encoding.width, "outputs": 1, "hidden": []}, 0)
    with torch.no_grad():
        broken.layers[0].bias.fill_(float("nan"))
    with pytest.raises(InvalidAnswers, match="gives row 0 no finite number"):
        Network("n", broken, network.encoding, ("yes",)).answer(samples, [LABEL])


def test_a_vector_of_logits_is_one_output_and_no_rows_have_no_answers(make, samples):
    encoding = make().encoding
    flat = torch.nn.Sequential(torch.nn.Linear(encoding.width, 1), torch.nn.Flatten(0))
    assert Network("n", flat, encoding, ("yes",)).answer(samples, [LOGIT]).logit.shape == (300, 1)
    assert make().answer(samples.take([]), [LOGIT, SCORE, LABEL, GRADIENT]).logit.shape == (0, 1)
