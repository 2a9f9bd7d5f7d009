"""A teacher kept as safetensors and JSON."""

from __future__ import annotations

from dataclasses import dataclass

from kdaudit.errors import OutOfDomain
from kdaudit.networks.files import load, refuse_risky
from kdaudit.networks.network import Network
from kdaudit.question import Setting
from kdaudit.teachers.places import located


@dataclass(frozen=True)
class Torch:
    """A network on disk, of kdaudit's own architectures.

    Parameters
    ----------
    path : str
        Folder with `model.safetensors` and `arch.json`, below the plan's folder or absolute.
    """

    path: str

    def open(self, setting: Setting) -> Network:
        """Read and return the teacher.

        Raises
        ------
        UnsafeFile
            If the path leads to a pickle, a checkpoint or an archive.
        InvalidInput
            If the files are missing, damaged or of another architecture.
        OutOfDomain
            If the network was made for other fields.
        """
        place = located(self.path, setting.folder)
        refuse_risky(place)
        network = load(place)
        theirs, ours = network.encoding.domain, setting.behaviour.domain
        if theirs.layout() != ours.layout():
            raise OutOfDomain(
                f"{self.path} was made for the fields {', '.join(theirs.names)}; "
                f"the plan's domain has {', '.join(ours.names)}"
            )
        return network
