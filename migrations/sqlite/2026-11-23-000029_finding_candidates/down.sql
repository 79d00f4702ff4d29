DROP TABLE finding_candidates;
