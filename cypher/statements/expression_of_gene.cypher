// name: expression_of_gene
// mode: read
// param gene: Gene - id or symbol of the gene
// returns cell_type: STRING - as the data set calls it
// returns tissue: STRING - as the data set calls it
// returns disease: STRING - as the data set calls it
// returns dataset: STRING - the data set
// returns cells: INTEGER - cells of the group
// returns measured: NODE - the gene, or its protein where an antibody measured that
// returns mean: FLOAT - mean over the cells of the group
// returns fraction: FLOAT - fraction of the cells that express it
// returns unit: STRING - of the mean; log1p_cp10k is log1p of counts per 10,000
// help: Where a gene is expressed, over the groups of cells; those below the threshold are absent.
CYPHER 5
MATCH (:Entity {id: $gene})-[:ENCODES*0..1]->(measured)<-[e:EXPRESSES]-(pseudobulk:CellGroup)
MATCH (pseudobulk)-[:FROM]->(dataset:Dataset)
RETURN pseudobulk.cell_type AS cell_type, pseudobulk.tissue AS tissue,
  pseudobulk.disease AS disease, dataset.id AS dataset, pseudobulk.n_cells AS cells,
  measured, e.mean AS mean, e.fraction AS fraction, dataset.mean_unit AS unit
ORDER BY unit DESC, mean DESC, pseudobulk.id, measured.id
