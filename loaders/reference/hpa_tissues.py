"""Tissues as the Human Protein Atlas names them, by UBERON's identifiers.

HPA gives names only. A test compares each pair with UBERON's own names.
"""

from __future__ import annotations

import re

#: Name in lower case, without the number of a sample (``skin 1``) -> CURIE.
HPA_TISSUES: dict[str, str] = {
    "adipose tissue": "uberon:0001013",
    "adrenal gland": "uberon:0002369",
    "amygdala": "uberon:0001876",
    "appendix": "uberon:0001154",
    "bone marrow": "uberon:0002371",
    "breast": "uberon:0000310",
    "bronchus": "uberon:0002185",
    "cerebellum": "uberon:0002037",
    "cerebral cortex": "uberon:0000956",
    "cervix": "uberon:0000002",
    "cervix, uterine": "uberon:0000002",
    "choroid plexus": "uberon:0001886",
    "colon": "uberon:0001155",
    "corpus callosum": "uberon:0002336",
    "duodenum": "uberon:0002114",
    "endometrium": "uberon:0001295",
    "epididymis": "uberon:0001301",
    "esophagus": "uberon:0001043",
    "fallopian tube": "uberon:0003889",
    "gallbladder": "uberon:0002110",
    "heart muscle": "uberon:0001133",
    "hippocampal formation": "uberon:0002421",
    "hypothalamus": "uberon:0001898",
    "kidney": "uberon:0002113",
    "liver": "uberon:0002107",
    "lung": "uberon:0002048",
    "lymph node": "uberon:0000029",
    "medulla oblongata": "uberon:0001896",
    "midbrain": "uberon:0001891",
    "nasopharynx": "uberon:0001728",
    "ovary": "uberon:0000992",
    "pancreas": "uberon:0001264",
    "parathyroid gland": "uberon:0001132",
    "pituitary gland": "uberon:0000007",
    "placenta": "uberon:0001987",
    "pons": "uberon:0000988",
    "prostate": "uberon:0002367",
    "rectum": "uberon:0001052",
    "retina": "uberon:0000966",
    "salivary gland": "uberon:0001044",
    "seminal vesicle": "uberon:0000998",
    "skeletal muscle": "uberon:0001134",
    "skin": "uberon:0002097",
    "small intestine": "uberon:0002108",
    "smooth muscle": "uberon:0001135",
    "spinal cord": "uberon:0002240",
    "spleen": "uberon:0002106",
    "stomach": "uberon:0000945",
    "testis": "uberon:0000473",
    "thalamus": "uberon:0001897",
    "thymus": "uberon:0002370",
    "thyroid gland": "uberon:0002046",
    "tongue": "uberon:0001723",
    "tonsil": "uberon:0002372",
    "urinary bladder": "uberon:0001255",
    "vagina": "uberon:0000996",
    "white matter": "uberon:0002316",
}


def find_tissue(name: str) -> str | None:
    """UBERON's identifier of a tissue, None where HPA's name has none here.

    >>> find_tissue("Skin 1")
    'uberon:0002097'
    """
    return HPA_TISSUES.get(re.sub(r" \d+$", "", name.strip().lower()))
