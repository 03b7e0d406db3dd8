// name: location_of_gene
// mode: read
// param gene: Gene - id or symbol of the gene
// returns location: NODE - a part of the cell
// returns sources: LIST<STRING> - who says so
// help: Where in the cell a gene's product is found.
CYPHER 5
MATCH (:Entity {id: $gene})-[:ENCODES*0..1]->()-[r:LOCATED_IN]->(location:CellularComponent)
UNWIND coalesce(r.sources, [null]) AS source
WITH location, source ORDER BY source
RETURN location, collect(DISTINCT source) AS sources
ORDER BY location.name, location.id
