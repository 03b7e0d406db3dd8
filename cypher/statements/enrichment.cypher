// name: enrichment
// mode: read
// param genes: LIST<Gene> - ids or symbols of the genes, as JSON or with commas between
// param type: LABEL = "Pathway" - what is tested: Pathway or BiologicalProcess
// param min_size: INTEGER = 5 - smallest number of genes of what is tested
// param max_size: INTEGER = 500 - greatest number of genes of what is tested
// param max_q: FLOAT = 0.05 - greatest q of what is shown
// param limit: INTEGER = 50 - rows at most
// after: enrichment(max_q, limit)
// returns pathway: NODE - what was tested
// returns hits: INTEGER - genes of the list that take part
// returns given: INTEGER - genes of the list that take part in anything
// returns size: INTEGER - genes that take part
// returns background: INTEGER - genes that take part in anything of this type
// returns tests: INTEGER - how many were tested
// returns members: LIST<STRING> - symbols of the hits
// returns p: FLOAT - hypergeometric chance of at least so many hits
// returns q: FLOAT - p adjusted by Benjamini and Hochberg over all tests
// help: The pathways (or processes) in which a list of genes is found more often than by chance.
CYPHER 5
CALL () {
  MATCH (gene:Gene)-[:ENCODES*0..1]->()-[:PARTICIPATES_IN]->(any:Entity)
  WHERE $type IN labels(any)
  WITH DISTINCT gene
  RETURN count(gene) AS background, sum(CASE WHEN gene.id IN $genes THEN 1 ELSE 0 END) AS given
}
MATCH (gene:Gene)-[:ENCODES*0..1]->()-[:PARTICIPATES_IN]->(pathway:Entity)
WHERE $type IN labels(pathway)
WITH DISTINCT background, given, pathway, gene
WITH background, given, pathway, gene ORDER BY gene.symbol, gene.id
WITH background, given, pathway, count(gene) AS size,
  collect(CASE WHEN gene.id IN $genes THEN coalesce(gene.symbol, gene.id) END) AS members
WHERE size >= $min_size AND size <= $max_size
WITH background, given, collect({pathway: pathway, size: size, members: members}) AS tested
UNWIND tested AS one
WITH background, given, size(tested) AS tests, one
WHERE size(one.members) > 0
RETURN one.pathway AS pathway, size(one.members) AS hits, given, one.size AS size, background,
  tests, one.members AS members
