// name: shared_between_diseases
// mode: read
// param first: Disease - id or name of a disease; its subtypes count
// param second: Disease - id or name of another; its subtypes count
// returns shared: NODE - a gene (or one whose protein is), drug, phenotype, ... joined to both
// returns kind: STRING - its type
// returns by_first: LIST<STRING> - how it is joined to the first
// returns by_second: LIST<STRING> - how it is joined to the second
// help: What two diseases share: genes, drugs, phenotypes, tissues.
CYPHER 5
// Each side by itself: on paths from one disease to the other the hubs would multiply.
CALL () {
  MATCH (:Entity {id: $first})<-[:IS_A*0..]-(one:Disease)
  WITH DISTINCT one
  MATCH (one)-[r]-(x:Entity)
  RETURN x, type(r) AS by_first, null AS by_second
  UNION
  MATCH (:Entity {id: $second})<-[:IS_A*0..]-(one:Disease)
  WITH DISTINCT one
  MATCH (one)-[r]-(x:Entity)
  RETURN x, null AS by_first, type(r) AS by_second
}
WITH x, by_first, by_second
WHERE NOT x:Disease
OPTIONAL MATCH (gene:Gene)-[:ENCODES]->(x)
WITH coalesce(gene, x) AS shared, by_first, by_second ORDER BY by_first, by_second
WITH shared, collect(DISTINCT by_first) AS by_first, collect(DISTINCT by_second) AS by_second
WHERE by_first <> [] AND by_second <> []
RETURN shared, head([l IN labels(shared) WHERE l <> 'Entity']) AS kind, by_first, by_second
ORDER BY kind, shared.name, shared.id
