DROP TABLE upload_pieces;
DROP TABLE resumable_uploads;
