"""A teacher of texts in the format of Hugging Face: a local folder, weights as safetensors only, no code of its own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from kdaudit.domain import Domain, Text
from kdaudit.encoders import Reading
from kdaudit.errors import InvalidInput, OutOfDomain, UnsafeFile
from kdaudit.networks.architectures import outline
from kdaudit.networks.network import Network
from kdaudit.networks.pretrained import AUTO, LEFT_OUT, Kernel, Task, keep_buffers, library
from kdaudit.pieces import Pieces, plain_tokeniser
from kdaudit.question import Setting
from kdaudit.teachers.places import located

CONFIG, WEIGHTS, INDEX, TOKENISER = "config.json", "model.safetensors", "model.safetensors.index.json", "tokenizer.json"
VOCABULARIES = (TOKENISER, "vocab.txt", "vocab.json", "spiece.model", "tokenizer.model", "sentencepiece.bpe.model")
USUAL = 128
"""Pieces read of a text where none are named."""
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".pkl")


@dataclass(frozen=True)
class HuggingFace:
    """A model of texts in a local folder, as the library transformers writes it.

    Parameters
    ----------
    path : str
        Folder with `config.json`, `model.safetensors` and a tokeniser, below the plan's folder or absolute; with
        `revision`, a name such as ``org/model``.  Nothing is downloaded.
    labels : tuple of str
        The checkpoint's label for each output of the behaviour; by default the outputs' own names where the checkpoint
        knows them, else the labels in its own order, and its last label for a single output.
    length : int
        Pieces that are read of a text; 0 stands for 128, or as many as the model can where that is fewer.
    kernel : {"sdpa", "eager"}
        How attention is computed.
    reads : str
        The text field that is read; needed only where there are several fields.
    batch : int
        Texts that go through at once, a multiple of 64.
    task : {"classify", "masked", "causal"}
        Whether it is a classifier, or a language model that completes `prompt`.
    prompt : str
        Of a language model: what it is given, with ``{text}`` for the row's text; a masked one guesses its own mask
        sign in it, a causal one what comes next.
    completions : tuple of str
        Of a language model: the completion that stands for each output, of one piece or several, whose probability is
        the product of each piece's after those before it; for a single output a second one stands for "not so".
    revision : str
        The commit of a model that the library huggingface_hub has fetched before, all 40 digits of it: a branch or a
        tag may mean another model tomorrow.
    name : str
        For people.
    """

    path: str
    labels: tuple[str, ...] = ()
    length: int = 0
    kernel: Kernel = "sdpa"
    reads: str = ""
    batch: int = 64
    task: Task = "classify"
    prompt: str = "{text}"
    completions: tuple[str, ...] = ()
    revision: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        if self.revision and not re.fullmatch("[0-9a-f]{40}", self.revision):
            raise InvalidInput(
                f"revision {self.revision!r} is no commit; all 40 digits were expected, since a branch or a tag moves"
            )
        if self.task == "classify" and (self.completions or self.prompt != "{text}"):
            raise InvalidInput("prompt and completions are of language models; say with `task` masked or causal")
        if self.task != "classify" and (self.labels or not self.completions or self.prompt.count("{text}") != 1):
            raise InvalidInput("a language model needs completions, a prompt that holds {text} once, and no labels")

    def open(self, setting: Setting) -> Network:
        """Read and return the teacher.

        Raises
        ------
        UnsafeFile
            If the weights are pickles only, or the model asks for code of its own.
        InvalidInput
            If a file is missing or damaged, the extra is not installed, weights are missing, or labels or completions
            do not fit the behaviour.
        OutOfDomain
            If there is no text field, or several and none is named.
        """
        folder = fetched(self.path, self.revision) if self.revision else located(self.path, setting.folder)
        return opened(self, folder, setting.behaviour.domain, setting.behaviour.outputs)


def opened(recipe: HuggingFace, folder: Path, domain: Domain, outputs: tuple[str, ...]) -> Network:
    """Return the model in `folder` as a subject of `outputs` over rows of `domain`."""
    config = described(folder)
    model, settled = _loaded(recipe, folder)
    text = _text_of(domain, recipe)
    tokeniser, padding = _tokeniser(folder, config, recipe)
    read = Domain((domain[text],))
    pieces = Pieces(read, tokeniser, _length(recipe, settled), padding, _vocabulary(model))
    if recipe.task == "classify":
        found: dict[str, Any] = {"chosen": _chosen(recipe, settled, outputs)}
    else:
        pieces = replace(pieces, prompt=recipe.prompt)
        found = _completed(recipe, pieces, folder, outputs)
        pieces = _with_room(recipe, pieces, settled)
    plain = json.loads(json.dumps({k: v for k, v in settled.to_diff_dict().items() if k not in LEFT_OUT}))
    arguments = {"config": {**plain, "model_type": settled.model_type}, "padding": padding, "kernel": recipe.kernel}
    # the outline takes no memory; what was read takes its place
    module = outline("pretrained", {**arguments, "task": recipe.task, **found})
    module.model = keep_buffers(model)
    name = recipe.name or Path(recipe.path).name
    encoder = pieces if len(domain.fields) == 1 else Reading(domain, pieces)
    return Network(name, module, encoder, outputs, batch=recipe.batch)


def fetched(name: str, revision: str) -> Path:
    """Return the folder in which the library huggingface_hub keeps a model at a commit; nothing is fetched.

    Raises
    ------
    InvalidInput
        If it is not there, the name is none, or the extra is not installed.
    """
    library()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except HFValidationError as error:
        raise InvalidInput(f"{name!r} is no name of a model, such as org/model: {error}") from error
    except LocalEntryNotFoundError as error:
        raise InvalidInput(
            f"{name} at {revision} is not on this machine; fetch it first: hf download {name} --revision {revision}"
        ) from error


def described(folder: Path) -> dict[str, Any]:
    """Return the configuration of a folder that is safe to read.

    Raises
    ------
    UnsafeFile
        If its weights are pickles only, or it asks for code of its own.
    InvalidInput
        If a file is missing or the configuration cannot be read.
    """
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is no folder; one with {CONFIG}, {WEIGHTS} and a tokeniser was expected")
    if not (folder / CONFIG).is_file():
        raise InvalidInput(
            f"{folder} has no {CONFIG}; a folder as transformers' save_pretrained writes it was expected"
        )
    if not (folder / WEIGHTS).is_file() and not (folder / INDEX).is_file():
        pickles = sorted(file.name for file in folder.iterdir() if file.suffix in PICKLES)
        if pickles:
            raise UnsafeFile(
                f"{folder} keeps its weights in {pickles[0]}, a format that could run code when loaded, so it is not "
                f"read; save it again with safe_serialization, as {WEIGHTS}"
            )
        raise InvalidInput(f"{folder} has no {WEIGHTS}; weights are read as safetensors only")
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{folder / CONFIG} cannot be read as JSON: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise InvalidInput(f"{folder / CONFIG} names no model_type; it is no configuration of transformers")
    if "auto_map" in config:
        raise UnsafeFile(
            f"{folder} is built by Python code of its own (auto_map), which is not run; "
            f"architectures of the library transformers itself are read"
        )
    return config


def _loaded(recipe: HuggingFace, folder: Path) -> tuple[Any, Any]:
    transformers = library()
    auto = getattr(transformers, AUTO[recipe.task])
    told_before = transformers.logging.is_progress_bar_enabled()
    transformers.logging.disable_progress_bar()
    try:
        model, told = auto.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation=recipe.kernel,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise InvalidInput(f"{folder} cannot be read as a model that can {recipe.task}: {error}") from error
    finally:
        if told_before:
            transformers.logging.enable_progress_bar()
    if told["missing_keys"] or told["mismatched_keys"]:
        missing = sorted(map(str, [*told["missing_keys"], *told["mismatched_keys"]]))
        raise InvalidInput(
            f"{folder} has no weights for {', '.join(missing[:3])}, so that its answers would be chance; "
            "train it for this task first"
        )
    return model.eval(), model.config


def _text_of(domain: Domain, recipe: HuggingFace) -> str:
    texts = [item.name for item in domain.fields if isinstance(item, Text)]
    if recipe.reads:
        if recipe.reads not in texts:
            raise OutOfDomain(
                f"{recipe.path} is to read {recipe.reads!r}, and the texts are {', '.join(texts) or 'none'}"
            )
        return recipe.reads
    if len(texts) != 1:
        raise OutOfDomain(
            f"{recipe.path} reads one text, and the domain has {', '.join(texts) or 'none'}; say which with `reads`"
        )
    return texts[0]


def _tokeniser(folder: Path, config: dict[str, Any], recipe: HuggingFace) -> tuple[str, int]:
    transformers = library()
    # without a file the library makes one that knows no word, and says nothing
    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise InvalidInput(f"{folder} has no tokeniser; {TOKENISER} was expected")
    try:
        made = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise InvalidInput(f"{folder} has no tokeniser that can be read: {error}") from error
    backend = getattr(made, "backend_tokenizer", None)
    if backend is None:
        raise InvalidInput(f"the tokeniser in {folder} does not tell where its pieces stand; {TOKENISER} was expected")
    padding = config.get("pad_token_id")
    padding = made.pad_token_id if padding is None else padding
    if padding is None and recipe.task == "causal":
        padding = made.eos_token_id
    if not isinstance(padding, int):
        raise InvalidInput(f"{folder} has no padding piece; set pad_token_id in its {CONFIG}")
    return plain_tokeniser(backend.to_str()), padding


def _length(recipe: HuggingFace, config: Any) -> int:  # noqa: ANN401 - of an optional library
    most = getattr(config, "max_position_embeddings", None)
    if not recipe.length:
        return min(USUAL, most) if isinstance(most, int) else USUAL
    if isinstance(most, int) and recipe.length > most:
        raise InvalidInput(f"{recipe.path} reads texts of at most {most} pieces; {recipe.length} were asked for")
    return recipe.length


def _with_room(recipe: HuggingFace, pieces: Pieces, config: Any) -> Pieces:  # noqa: ANN401 - as above
    """Return the pieces cut so short that the longest completion fits behind them into the model."""
    most = getattr(config, "max_position_embeddings", None)
    more = max(len(pieces.numbers(one)) for one in recipe.completions) - 1
    if not isinstance(most, int) or pieces.length + more <= most:
        return pieces
    if recipe.length:
        raise InvalidInput(
            f"{recipe.path} reads at most {most} pieces; {recipe.length} and a completion of {more + 1} are too many"
        )
    return replace(pieces, length=most - more)


def _vocabulary(model: Any) -> int:  # noqa: ANN401 - of an optional library
    return int(model.get_input_embeddings().num_embeddings)


def _chosen(recipe: HuggingFace, config: Any, outputs: tuple[str, ...]) -> list[int]:  # noqa: ANN401 - as above
    known = {str(name): int(place) for place, name in config.id2label.items()}
    wanted = recipe.labels or (outputs if set(outputs) <= set(known) else ())
    if not wanted:
        if len(outputs) not in (1, len(known)):
            raise InvalidInput(
                f"{recipe.path} tells {len(known)} labels ({', '.join(known)}) and the behaviour has {len(outputs)} "
                "outputs; say with `labels` which is which"
            )
        return [len(known) - 1] if len(outputs) == 1 else list(range(len(known)))
    if len(wanted) != len(outputs) or not set(wanted) <= set(known) or len(set(wanted)) < len(wanted):
        raise InvalidInput(
            f"labels {', '.join(wanted)} of {recipe.path}; one of {', '.join(known)} was expected for each of "
            f"{', '.join(outputs)}"
        )
    return [known[name] for name in wanted]


def _completed(recipe: HuggingFace, pieces: Pieces, folder: Path, outputs: tuple[str, ...]) -> dict[str, Any]:
    numbers = [pieces.numbers(one) for one in recipe.completions]
    wanted = len(outputs) if len(outputs) > 1 else 2
    if len(numbers) != wanted:
        raise InvalidInput(
            f"{recipe.path} is given {len(numbers)} completions; {wanted} were expected for {', '.join(outputs)}"
        )
    if len(set(numbers)) < len(numbers):
        raise InvalidInput(f"{recipe.path} is given one completion twice: {', '.join(recipe.completions)}")
    if max(map(len, numbers)) == 1:
        firsts = [one for (one,) in numbers]
        found: dict[str, Any] = {"chosen": firsts[: len(outputs)], "others": firsts[len(outputs) :]}
    else:
        found = {"chosen": numbers[: len(outputs)], "others": numbers[len(outputs) :]}
    if recipe.task == "masked":
        made = library().AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if made.mask_token is None or recipe.prompt.count(made.mask_token) != 1:
            raise InvalidInput(f"the prompt of {recipe.path} must hold its mask sign {made.mask_token} once")
        found["mask"] = int(made.mask_token_id)
    return found
