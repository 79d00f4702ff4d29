DROP TABLE units;
DROP TABLE provinces;
