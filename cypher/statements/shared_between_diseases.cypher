// name: shared_between_diseases
// mode: read
// param first: Disease - id or name of a disease; its subtypes count
// param second: Disease - id or name of another
// returns shared: NODE - a gene (or one whose protein is), drug, phenotype, ... joined to both
// returns kind: STRING - its type
// returns by_first: LIST<STRING> - how it is joined to the first
// returns by_second: LIST<STRING> - how it is joined to the second
// help: What two diseases share: genes, drugs, phenotypes, tissues.
CYPHER 5
MATCH (:Entity {id: $first})<-[:IS_A*0..]-(one:Disease)-[r]-(x:Entity)
WHERE NOT x:Disease
OPTIONAL MATCH (gene:Gene)-[:ENCODES]->(x)
WITH coalesce(gene, x) AS shared, type(r) AS how ORDER BY how
WITH shared, collect(DISTINCT how) AS by_first
MATCH (shared)-[:ENCODES*0..1]->()-[r]-(other:Disease)-[:IS_A*0..]->(:Entity {id: $second})
WITH shared, by_first, type(r) AS how ORDER BY how
RETURN shared, head([l IN labels(shared) WHERE l <> 'Entity']) AS kind, by_first,
  collect(DISTINCT how) AS by_second
ORDER BY kind, shared.name, shared.id
