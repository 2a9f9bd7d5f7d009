"""``kdaudit doctor``: what is installed, and what is missing for which use."""

from __future__ import annotations

import typer

USES = {
    "torch": "students, teachers in torch (needed)",
    "scikit-learn": "surrogates, teachers in scikit-learn (needed)",
    "pyarrow": "answers and evidence on disk (needed)",
    "streamlit": "kdaudit dash (pip install 'kdaudit[dashboard]')",
    "plotly": "kdaudit dash (pip install 'kdaudit[dashboard]')",
    "onnxruntime": "teachers in ONNX (pip install 'kdaudit[onnx]')",
    "transformers": "teachers from Hugging Face (pip install 'kdaudit[hf]')",
    "accelerate": "training in several processes (pip install 'kdaudit[distributed]')",
    "typst": "PDF reports (pip install 'kdaudit[pdf]')",
}


def doctor() -> None:
    """Print versions, threads and which optional parts are there; leave with 4 if a needed one is missing."""
    import os
    import platform
    from importlib import metadata

    machine = f"{platform.system()} {platform.machine()}"
    typer.echo(f"kdaudit {metadata.version('kdaudit')}, Python {platform.python_version()}, {machine}")
    typer.echo(f"cores: {os.cpu_count()}, OMP_NUM_THREADS: {os.environ.get('OMP_NUM_THREADS', 'not set')}")
    typer.echo(f"KDAUDIT_DATA: {os.environ.get('KDAUDIT_DATA', 'not set; only the bundled data set is there')}")
    missing = False
    for package, use in USES.items():
        try:
            state = metadata.version(package)
        except metadata.PackageNotFoundError:
            state = "missing"
            missing |= "(needed)" in use
        typer.echo(f"  {package:<14} {state:<12} {use}")
    if missing:
        raise typer.Exit(4)
