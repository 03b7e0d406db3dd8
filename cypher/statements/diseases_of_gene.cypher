// name: diseases_of_gene
// mode: read
// param gene: Gene - id or symbol of the gene
// param limit: INTEGER = 100 - rows at most
// returns disease: NODE - a disease
// returns how: LIST<STRING> - ASSOCIATED_WITH, CAUSES, UPREGULATED_IN, DOWNREGULATED_IN
// returns score: FLOAT - the greatest score that a source gives
// returns sources: LIST<STRING> - who says so
// help: Diseases that a gene, or its protein, has to do with.
CYPHER 5
MATCH (:Entity {id: $gene})-[:ENCODES*0..1]->()
  -[r:ASSOCIATED_WITH|CAUSES|UPREGULATED_IN|DOWNREGULATED_IN]->(disease:Disease)
UNWIND coalesce(r.sources, [null]) AS source
WITH disease, type(r) AS how, r.score AS score, source ORDER BY source
WITH disease, collect(DISTINCT how) AS hows, max(score) AS score,
  collect(DISTINCT source) AS sources
RETURN disease,
  [h IN ['ASSOCIATED_WITH', 'CAUSES', 'DOWNREGULATED_IN', 'UPREGULATED_IN'] WHERE h IN hows] AS how,
  score, sources
ORDER BY coalesce(score, -1.0) DESC, disease.name, disease.id
LIMIT $limit
