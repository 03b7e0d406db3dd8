// name: drug_mechanism
// mode: read
// param drug: Drug - id or name of the drug
// returns target: NODE - the gene or protein that it acts on
// returns actions: LIST<STRING> - what it does to it
// returns gene: NODE - the gene of the target
// returns pathways: LIST<STRING> - names of the pathways of the target and its gene
// help: What a drug acts on, how, and the pathways that this touches.
CYPHER 5
MATCH (:Entity {id: $drug})-[t:TARGETS]->(target)
WITH target, t.action AS action ORDER BY action
WITH target, collect(DISTINCT action) AS actions
OPTIONAL MATCH (gene:Gene)-[:ENCODES*0..1]->(target)
OPTIONAL MATCH (gene)-[:ENCODES*0..1]->()-[:PARTICIPATES_IN]->(pathway:Pathway)
WITH target, actions, gene, pathway.name AS pathway ORDER BY pathway
RETURN target, actions, gene, collect(DISTINCT pathway) AS pathways
ORDER BY gene.symbol, target.id
