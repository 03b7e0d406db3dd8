"""Expression values: codec, units, normalisation, pseudobulks and meta-cells."""
