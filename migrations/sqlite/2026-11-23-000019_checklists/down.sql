DROP TABLE checklist_versions;
DROP TABLE checklists;
