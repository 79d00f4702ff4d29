DROP TABLE settings_versions;
DROP TABLE calendar_changes;
