DROP TABLE check_reads;
DROP TABLE check_releases;
