// name: genes_of_pathway
// mode: read
// param pathway: Pathway - id or name of the pathway
// returns gene: NODE - a gene that takes part, itself or by its protein
// returns sources: LIST<STRING> - who says so
// help: The genes that take part in a pathway.
CYPHER 5
MATCH (pathway:Entity {id: $pathway})<-[r:PARTICIPATES_IN]-(member)
MATCH (gene:Gene)-[:ENCODES*0..1]->(member)
UNWIND coalesce(r.sources, [null]) AS source
WITH gene, source ORDER BY source
RETURN gene, collect(DISTINCT source) AS sources
ORDER BY gene.symbol, gene.id
