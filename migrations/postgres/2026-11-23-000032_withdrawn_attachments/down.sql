DROP TABLE withdrawn_attachments;
