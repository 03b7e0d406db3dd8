// name: functions_of_gene
// mode: read
// param gene: Gene - id or symbol of the gene
// returns function: NODE - a molecular function or a biological process
// returns kind: STRING - MolecularFunction or BiologicalProcess
// returns sources: LIST<STRING> - who says so
// help: What a gene, or its protein, does, and what it does it for.
CYPHER 5
MATCH (:Entity {id: $gene})-[:ENCODES*0..1]->()-[r:HAS_FUNCTION|PARTICIPATES_IN]->(function)
WHERE function:MolecularFunction OR function:BiologicalProcess
UNWIND coalesce(r.sources, [null]) AS source
WITH function, source ORDER BY source
RETURN function, head([l IN labels(function) WHERE l <> 'Entity']) AS kind,
  collect(DISTINCT source) AS sources
ORDER BY kind DESC, function.name, function.id
