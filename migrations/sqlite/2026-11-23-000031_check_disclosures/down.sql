DROP TABLE authorisation_commanders;
DROP INDEX unannounced_checks_unreleased;
DROP TABLE check_disclosures;
