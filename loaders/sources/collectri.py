"""CollecTRI: signed regulation of genes by transcription factors, collected from 12 resources."""

from __future__ import annotations

from typing import ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.reference.regulons import Regulons
from tosg.loaders.reference.symbols import SYMBOLS


class CollecTRI(Regulons):
    """See the module."""

    name = "collectri"
    title = "CollecTRI: signed regulation of genes by transcription factors"
    homepage = "https://github.com/saezlab/CollecTRI"
    license = "GPL-3.0"
    signs = "weight: above 0 is 1, below 0 is -1"
    quirks = (
        "AP1 and NFKB are complexes without members in the table; their rows are rejected.",
        "OmniPath's answer (datasets=collectri) is read too; it writes complexes COMPLEX:...",
    )
    tested_on = "the whole table of decoupleR (2025)"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "regulons",
            ("collectri.csv", "collectri*.csv", "*CollecTRI*.csv", "collectri*.tsv"),
            "factors, targets and signs",
            url="https://rescued.omnipathdb.org/CollecTRI.csv",
            whole_bytes=500_000,
        ),
        SYMBOLS,
    )
