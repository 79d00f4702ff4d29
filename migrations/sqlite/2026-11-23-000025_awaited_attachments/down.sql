DROP TABLE awaited_attachments;
