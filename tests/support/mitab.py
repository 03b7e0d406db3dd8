"""Rows of PSI-MI TAB 2.7, in IntAct's captions and InnateDB's."""

from __future__ import annotations

_BOTH = (
    ("ID(s) interactor {}", "unique_identifier_{}", "-"),
    ("Alt. ID(s) interactor {}", "alt_identifier_{}", "-"),
    ("Alias(es) interactor {}", "alias_{}", "-"),
)
_FIRST = (
    ("Interaction detection method(s)", "interaction_detection_method",
     'psi-mi:"MI:0018"(two hybrid)'),
    ("Publication 1st author(s)", "author", "Somebody et al. (2005)"),
    ("Publication Identifier(s)", "pmid", "pubmed:16189514|imex:IM-1"),
)  # fmt: skip
_HUMAN = "taxid:9606(human)|taxid:9606(Homo sapiens)"
_CAPTIONS = (
    *((c[0].format(x), c[1].format(x), c[2]) for c in _BOTH for x in "AB"),
    *_FIRST,
    *(("Taxid interactor " + x, "ncbi_taxid_" + x, _HUMAN) for x in "AB"),
    ("Interaction type(s)", "interaction_type", 'psi-mi:"MI:0915"(physical association)'),
    ("Source database(s)", "source_database", 'psi-mi:"MI:0469"(IntAct)'),
    ("Interaction identifier(s)", "idinteraction_in_source_db", "-"),
    ("Confidence value(s)", "confidence_score", "-"),
    ("Expansion method(s)", "expansion_method", "-"),
    *(("Biological role(s) interactor " + x, "biological_role_" + x,
       'psi-mi:"MI:0499"(unspecified role)') for x in "AB"),
    *(("Experimental role(s) interactor " + x, "exp_role_" + x,
       'psi-mi:"MI:0499"(unspecified role)') for x in "AB"),
    *(("Type(s) interactor " + x, "interactor_type_" + x,
       'psi-mi:"MI:0326"(protein)') for x in "AB"),
    *(("Xref(s) interactor " + x, "xrefs_" + x, "-") for x in "AB"),
    ("Interaction Xref(s)", "xrefs_interaction", "-"),
    *(("Annotation(s) interactor " + x, "annotations_" + x, "-") for x in "AB"),
    ("Interaction annotation(s)", "annotations_interaction", 'comment:"a ""quoted"" | comment"'),
    ("Host organism(s)", "ncbi_taxid_host_organism", "taxid:4932(yeast)"),
    ("Interaction parameter(s)", "parameters_interaction", "-"),
    ("Creation date", "creation_date", "2005/05/05"),
    ("Update date", "update_date", "2015/05/05"),
    *(("Checksum(s) interactor " + x, "checksum_" + x, "-") for x in "AB"),
    ("Interaction Checksum(s)", "checksum_interaction", "-"),
    ("Negative", "negative", "false"),
    *(("Feature(s) interactor " + x, "features_" + x, "-") for x in "AB"),
    *(("Stoichiometry(s) interactor " + x, "stoichiometry_" + x, "-") for x in "AB"),
    *(("Identification method participant " + x, "participant_identification_method_" + x,
       "-") for x in "AB"),
)  # fmt: skip


def mitab_table(*rows: dict[str, str], innatedb: bool = False) -> str:
    """A whole table; a row gives its columns by the first words of IntAct's caption.

    >>> len(mitab_table({"ID(s) interactor A": "uniprotkb:P00011"}).splitlines()[0].split("\\t"))
    42
    """
    header = "#" + "\t".join(c[1 if innatedb else 0] for c in _CAPTIONS)
    lines = [header, *("\t".join(row.get(c[0], c[2]) for c in _CAPTIONS) for row in rows)]
    return "\n".join(lines) + "\n"
