"""The protein table of UniProt, which several sources read to know the human proteins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec
from tosg.loaders.columns import keep, with_curies
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog

#: Captions of 2022 and later, with those that were used before.
UNIPROT_LAYOUT = Layout(
    ("Entry", "Protein names", "Gene Names", "Organism"),
    optional=(
        "Entry Name",
        "Reviewed",
        "Function [CC]",
        "Subcellular location [CC]",
        "GeneID",
        "HGNC",
        "Organism (ID)",
    ),
    renamed={
        "Entry Name": ("Entry name",),
        "Reviewed": ("Status",),
        "Gene Names": ("Gene names",),
        "GeneID": ("Cross-reference (GeneID)",),
        "HGNC": ("Cross-reference (HGNC)",),
        "Organism (ID)": ("Organism ID",),
    },
)

UNIPROT_TAB = FileSpec(
    "proteins",
    (
        "uniprot_human.tsv.gz",
        "uniprot.tab",
        "uniprot*.tab",
        "uniprot*.tsv",
        "uniprot*.tab.gz",
        "uniprot*.tsv.gz",
    ),
    "protein table of UniProt",
    url=(
        "https://rest.uniprot.org/uniprotkb/stream?format=tsv&compressed=true"
        "&query=(organism_id:9606)+AND+(reviewed:true)"
        "&fields=accession,id,reviewed,protein_name,gene_names,organism_name,organism_id,"
        "cc_function,cc_subcellular_location,xref_geneid,xref_hgnc"
    ),
    # CellPhoneDB's snapshot
    known={"29cb01d5f5cea889d0ca1722edc3f149d681ff83d73316beab706a1da9cf7904": "2019-06-20"},
    whole_bytes=1_000_000,
)


#: UniProt's identifier mapping: accession, type of identifier, identifier; no header.
ID_MAPPING = FileSpec(
    "id_mapping",
    ("HUMAN_9606_idmapping.dat.gz", "HUMAN_9606_idmapping.dat", "*idmapping.dat.gz"),
    "UniProt's identifier mapping",
    required=False,
    url=(
        "https://ftp.uniprot.org/pub/databases/uniprot/current_release/knowledgebase/idmapping/"
        "by_organism/HUMAN_9606_idmapping.dat.gz"
    ),
    license="CC BY 4.0",
    whole_bytes=5_000_000,
)

ID_MAPPING_LAYOUT = Layout(("accession", "kind", "id"), header=False)


def human_proteins(
    path: Path, file: FileLog, *, unreviewed: bool = False
) -> Iterator[pa.RecordBatch]:
    """Rows of human proteins with their ``curie``; the others are rejected by kind.

    Unreviewed entries (TrEMBL) are rejected unless asked for.
    """
    for raw in read_table(path, UNIPROT_LAYOUT, file):
        human = pc.starts_with(raw.column("Organism"), "Homo sapiens")
        batch = keep(raw, human, file, "other species", ("Entry", "Organism"))
        if not unreviewed:
            reviewed = pc.not_equal(batch.column("Reviewed"), "unreviewed")
            batch = keep(batch, reviewed, file, "unreviewed entry", ("Entry", "Entry Name"))
        batch = with_curies(batch, "Entry", "uniprot", file, shown=("Entry", "Entry Name"))
        file.parsed(batch.num_rows)
        yield batch


def id_mapping(path: Path, file: FileLog, kinds: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    """Rows of some kinds of identifiers, with ``protein`` and ``other`` as CURIEs.

    Accessions of isoforms (``P12345-2``) count for their protein. Rows of other kinds are
    noted.

    Parameters
    ----------
    path : Path
    file : FileLog
    kinds : mapping
        Kind as UniProt writes it -> prefix, as ``GeneID`` -> ``ncbigene``.
    """
    shown = ("accession", "kind", "id")
    for raw in read_table(path, ID_MAPPING_LAYOUT, file):
        used = pc.is_in(raw.column("kind"), pa.array(list(kinds)))
        batch = raw.filter(used)
        if others := raw.num_rows - batch.num_rows:
            file.parsed(others)
            file.note("identifier of another kind, not used", others)
        plain = pc.replace_substring_regex(batch.column("accession"), r"-\d+$", "")
        batch = batch.append_column("plain", plain)
        batch = with_curies(batch, "plain", "uniprot", file, to="protein", shown=shown)
        for kind, prefix in kinds.items():
            some = batch.filter(pc.equal(batch.column("kind"), kind))
            bare = pc.replace_substring_regex(some.column("id"), r"^(ENS[TGP]\d+)\.\d+$", r"\1")
            some = some.append_column("bare", bare)
            some = with_curies(some, "bare", prefix, file, to="other", shown=shown)
            file.parsed(some.num_rows)
            if some.num_rows:
                yield some


def ensembl_accessions(path: Path, file: FileLog) -> dict[str, str]:
    """UniProt's protein of each transcript (ENST) and protein (ENSP) that is one protein's only."""
    found: dict[str, set[str]] = {}
    kinds = {"Ensembl_TRS": "ensembl", "Ensembl_PRO": "ensembl"}
    for batch in id_mapping(path, file, kinds):
        ids = pc.replace_substring(batch.column("other"), "ensembl:", "").to_pylist()
        for id_, protein in zip(ids, batch.column("protein").to_pylist(), strict=True):
            found.setdefault(id_, set()).add(protein)
    shared = [id_ for id_, proteins in found.items() if len(proteins) > 1]
    if shared:
        file.note("identifier of several proteins, not used", len(shared), shared[:5])
    return {id_: next(iter(proteins)) for id_, proteins in found.items() if len(proteins) == 1}
