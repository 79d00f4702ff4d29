DROP TABLE authorisation_members;
DROP TABLE authorisation_areas;
DROP TABLE authorisations;
