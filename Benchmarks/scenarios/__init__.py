"""The rows of the table, a function for each few of them that are measured together: it takes the World and yields Rows."""
