"""shap's values of the tree that bench_compare explains: ``python compare_shap.py BACKGROUND OUT shap``.

The masker is told to keep all background rows: of an array shap keeps 100, in silence.
"""

import importlib
import json
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.tree import DecisionTreeRegressor

# no dependency: it runs in an interpreter of its own where this one lacks it
shap = importlib.import_module(sys.argv[3])
g = np.random.default_rng(0)
x = g.normal(size=(10_000, 20))
y = x[:, 0] * x[:, 1] + (x[:, 2] > 0) * x[:, 3] + x[:, 4:].sum(axis=1) * 0.3
x = x.astype(np.float32).astype(np.float64)
tree = DecisionTreeRegressor(max_leaf_nodes=32, random_state=0).fit(x, y)
size = int(sys.argv[1])
lent = x[np.random.default_rng(size).choice(len(x), size, replace=False)]
masker = shap.maskers.Independent(lent, max_samples=size)
explainer = shap.TreeExplainer(tree, data=masker, feature_perturbation="interventional")
explainer.shap_values(x[:10], check_additivity=False)
times = []
for _ in range(2 if size < 1000 else 1):
    start = time.process_time()
    values = explainer.shap_values(x, check_additivity=False)
    times.append(time.process_time() - start)
Path(sys.argv[2]).write_text(json.dumps({"cpu": min(times), "values": values[:100].tolist()}), encoding="utf-8")
