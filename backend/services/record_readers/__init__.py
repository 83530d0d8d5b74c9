"""Reading a user's own records, in the formats that `/upload_raw` takes, as a stream of JSON texts."""
