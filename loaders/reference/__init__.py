"""What several sources share: tables of genes, proteins and symbols."""
