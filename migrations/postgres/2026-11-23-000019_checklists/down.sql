DROP TABLE checklist_versions;
DROP TABLE checklists;
DROP FUNCTION checklist_versions_refuse();
