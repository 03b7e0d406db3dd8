// name: cells_of_type
// mode: read
// param cell_type: CellType - id or name of the cell type; its subtypes count
// param disease: Disease = null - only cells of people with this disease or a subtype of it
// param tissue: Anatomy = null - only cells of this tissue
// returns cell: NODE - a cell
// help: The cells of a type, for an export: --cells cells_of_type.
CYPHER 5
MATCH (:Entity {id: $cell_type})<-[:IS_A*0..]-(:CellType)<-[:OF_TYPE]-(cells:CellGroup)
WHERE ($disease IS NULL
    OR EXISTS { (cells)-[:WITH_DISEASE]->(:Disease)-[:IS_A*0..]->(:Entity {id: $disease}) })
  AND ($tissue IS NULL
    OR EXISTS { (cells)-[:FROM_TISSUE]->(:Anatomy)-[:IS_A|PART_OF*0..]->(:Entity {id: $tissue}) })
// The cells of a data set and type are looked through once, not once for each group.
WITH cells.dataset AS dataset, cells.cell_type AS cell_type, collect(DISTINCT cells.id) AS groups
MATCH (cell:Cell {dataset: dataset, cell_type: cell_type})
WHERE cell.group IN groups
RETURN cell
ORDER BY cell.idx
