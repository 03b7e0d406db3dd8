"""SIDER: side effects and indications that labels of drugs name (MedDRA terms, UMLS concepts).

Drugs are STITCH's compounds: the flat number without its first digit is PubChem's. Each effect
stands twice, as the label's own term (LLT) and as the preferred one (PT); PT rows are taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep, with_curies
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog

_EFFECTS = Layout(("flat", "stereo", "label_cui", "kind", "cui", "name"), header=False)
_INDICATIONS = Layout(
    ("flat", "label_cui", "method", "label_name", "kind", "cui", "name"), header=False
)
_FOLDER = "http://sideeffects.embl.de/media/download"


class Sider(Loader):
    """See the module."""

    name = "sider"
    title = "SIDER: side effects and indications on the labels of drugs"
    homepage = "https://sideeffects.embl.de"
    license = "CC BY-NC-SA 4.0"
    nodes = ("Phenotype",)
    relationships = (("Drug", "CAUSES", "Phenotype"), ("Drug", "TREATS", "Phenotype"))
    quirks = (
        "CID1 and eight digits are the flat compound; the digits are PubChem's number.",
        "Indications were found in the labels' text by machine.",
    )
    tested_on = "the whole files of SIDER 4.1"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "effects",
            ("meddra_all_se.tsv.gz", "meddra_all_se*.tsv*"),
            "side effects",
            url=f"{_FOLDER}/meddra_all_se.tsv.gz",
            release="4.1",
            sha256="",
            whole_bytes=2_000_000,
        ),
        FileSpec(
            "indications",
            ("meddra_all_indications.tsv.gz", "meddra_all_indications*.tsv*"),
            "indications",
            required=False,
            url=f"{_FOLDER}/meddra_all_indications.tsv.gz",
            whole_bytes=300_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        for key, layout, kind in (
            ("effects", _EFFECTS, "CAUSES"),
            ("indications", _INDICATIONS, "TREATS"),
        ):
            if key not in files:
                continue
            path = files[key]
            file, origin = log.file(path), self.origin(path, release)
            for raw in read_table(path, layout, file):
                batch = _rows(raw, file)
                yield origin.entities(
                    batch.num_rows,
                    batch.column("line"),
                    type="Phenotype",
                    id=batch.column("effect"),
                    name=pc.utf8_trim_whitespace(batch.column("name")),
                )
                method = {"methods": ("method", ";")} if key == "indications" else {}
                yield origin.relationships(
                    batch.num_rows,
                    batch.column("line"),
                    type=kind,
                    start_type="Drug",
                    start=batch.column("drug"),
                    end_type="Phenotype",
                    end=batch.column("effect"),
                    evidence=evidence(batch, lists={"stitch_ids": ("flat", ";"), **method}),
                )


def _rows(raw: pa.RecordBatch, file: FileLog) -> pa.RecordBatch:
    shown = ("flat", "kind", "name")
    preferred = pc.equal(raw.column("kind"), "PT")
    batch = keep(raw, preferred, file, "term of the label beside its preferred term", shown)
    number = pc.replace_substring_regex(batch.column("flat"), r"^CID10*([1-9]\d*)$", r"\1")
    batch = batch.append_column("number", number)
    batch = with_curies(batch, "number", "pubchem.compound", file, to="drug", shown=shown)
    batch = with_curies(batch, "cui", "umls", file, to="effect", shown=shown)
    file.parsed(batch.num_rows)
    return batch
