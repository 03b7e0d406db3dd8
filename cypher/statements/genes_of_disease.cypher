// name: genes_of_disease
// mode: read
// param disease: Disease - id or name of the disease; its subtypes count
// param min_score: FLOAT = null - least score; without one, claims without a score count too
// returns gene: NODE - a gene
// returns how: LIST<STRING> - ASSOCIATED_WITH, CAUSES, UPREGULATED_IN, DOWNREGULATED_IN
// returns score: FLOAT - the greatest score that a source gives
// returns sources: LIST<STRING> - who says so
// help: Genes that have to do with a disease, themselves or by their proteins.
CYPHER 5
MATCH (:Entity {id: $disease})<-[:IS_A*0..]-(:Disease)
  <-[r:ASSOCIATED_WITH|CAUSES|UPREGULATED_IN|DOWNREGULATED_IN]-(x)
WHERE $min_score IS NULL OR r.score >= $min_score
MATCH (gene:Gene)-[:ENCODES*0..1]->(x)
UNWIND coalesce(r.sources, [null]) AS source
WITH gene, type(r) AS how, r.score AS score, source ORDER BY source
WITH gene, collect(DISTINCT how) AS hows, max(score) AS score,
  collect(DISTINCT source) AS sources
RETURN gene,
  [h IN ['ASSOCIATED_WITH', 'CAUSES', 'DOWNREGULATED_IN', 'UPREGULATED_IN'] WHERE h IN hows] AS how,
  score, sources
ORDER BY coalesce(score, -1.0) DESC, gene.symbol, gene.id
