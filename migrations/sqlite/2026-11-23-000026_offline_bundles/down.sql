DROP TABLE offline_bundles;
