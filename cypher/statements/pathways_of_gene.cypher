// name: pathways_of_gene
// mode: read
// param gene: Gene - id or symbol of the gene
// returns pathway: NODE - a pathway that the gene or its protein takes part in
// returns genes: INTEGER - how many genes and proteins take part in it
// help: The pathways that a gene takes part in, small ones first.
CYPHER 5
MATCH (gene:Entity {id: $gene})-[:ENCODES*0..1]->()-[:PARTICIPATES_IN]->(pathway:Pathway)
WITH DISTINCT pathway
RETURN pathway, count { (pathway)<-[:PARTICIPATES_IN]-() } AS genes
ORDER BY genes, pathway.id
