DROP TABLE check_addenda;
DROP TABLE check_members;
DROP TABLE unannounced_checks;
