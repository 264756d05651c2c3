"""A gauge whose labels come and go, right with several processes, too.

Prometheus's client forgets no label in its multi-process mode: its files would hold every diagnosis ever watched.
"""

from __future__ import annotations

import atexit
import json
import os
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector

from avicenna.metric_files import is_alive, shared_folder


class ComingAndGoing(Collector):
    """`set` what this process has; `tell` the others from time to time where they share a folder.

    What is exported is the sum over the processes. A label stands for as long as its value is not 0.
    """

    def __init__(self, name: str, documentation: str, label: str) -> None:
        self._name, self._documentation, self._label = name, documentation, label
        self._values: dict[str, int] = {}
        self._told: dict[str, int] | None = None
        REGISTRY.register(self)

    def set(self, label: str, value: int) -> None:
        if value:
            self._values[label] = value
        else:
            self._values.pop(label, None)

    def tell(self) -> None:
        """Cheap when nothing changed; nothing at all in a process that is exported by itself."""
        if (folder := shared_folder()) is None:
            return
        if self._values == self._told:
            return
        if self._told is None:
            atexit.register(self._file(folder).unlink, missing_ok=True)
        self._told = dict(self._values)
        draft = self._file(folder).with_suffix(".draft")
        draft.write_text(json.dumps(self._told))
        draft.replace(self._file(folder))

    def describe(self) -> list[GaugeMetricFamily]:
        return [GaugeMetricFamily(self._name, self._documentation)]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(self._name, self._documentation, labels=[self._label])
        for label, value in self._sums().items():
            family.add_metric([label], value)
        yield family

    def _sums(self) -> dict[str, int]:
        if (folder := shared_folder()) is None:
            return dict(self._values)
        sums: dict[str, int] = {}
        for file in folder.glob(f"{self._name}.*.json"):
            if not is_alive(int(file.suffixes[0][1:])):
                file.unlink(missing_ok=True)
                continue
            try:
                told = json.loads(file.read_text())
            except FileNotFoundError:  # its process ended this moment
                continue
            for label, value in told.items():
                sums[label] = sums.get(label, 0) + value
        return sums

    def _file(self, folder: Path) -> Path:
        return folder / f"{self._name}.{os.getpid()}.json"
