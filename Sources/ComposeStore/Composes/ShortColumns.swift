import Postgres

/// SQL expressions that shorten long texts and requests for lists. A shortened value is the beginning
/// of the whole value and ends with `…`, so the size of a page is bounded.
///
/// A compose that is read by its id has everything. PostgreSQL does the cutting, because a page of a
/// hundred whole requests can have a hundred megabytes.
enum ShortColumns {
    /// The number of bytes that are kept of a list of words.
    private static let words: SQL = "2000"
    /// The number of characters that are kept of a text. Each can have four bytes.
    private static let characters: SQL = "500"

    /// Returns a condition for a request or failure that is read unchanged, because its text is not long.
    ///
    /// Nearly all are so small that their text is not even made to measure it: a stored value that is not
    /// compressed says its size, and its text has at most six times as many bytes.
    private static func isShort(_ value: SQL) -> SQL {
        """
        (pg_column_size(\(fragment: value)) <= 660 AND pg_column_compression(\(fragment: value)) IS NULL
            OR octet_length(\(fragment: value)::text) <= 4000)
        """
    }

    /// Returns an expression for a text that is cut if it is long.
    ///
    /// - Parameter text: A column or an expression of the type `text`.
    static func text(_ text: SQL) -> SQL {
        // `…` by its code point: statements in ASCII are found faster among the prepared ones.
        """
        CASE WHEN octet_length(\(fragment: text)) <= \(fragment: words) THEN \(fragment: text)
            ELSE left(\(fragment: text), \(fragment: characters)) || chr(8230) END
        """
    }

    /// Returns an expression for a request. If the request is long, each long list holds only its first
    /// words and then `…`.
    ///
    /// - Parameter request: A column with a `ComposeRequest`. All of its lists must be lists of words.
    static func request(_ request: SQL) -> SQL {
        """
        CASE WHEN \(fragment: isShort(request)) THEN \(fragment: request) ELSE (
            SELECT jsonb_object_agg(m.key, CASE
                WHEN jsonb_typeof(m.value) <> 'array' OR octet_length(m.value::text) <= \(fragment: words) THEN m.value
                ELSE (
                    SELECT coalesce(jsonb_agg(w.word ORDER BY w.number), '[]') || '["\\u2026"]'
                    FROM (
                        SELECT e.word, e.number, sum(octet_length(e.word) + 1) OVER (ORDER BY e.number) AS bytes
                        FROM jsonb_array_elements_text(m.value) WITH ORDINALITY AS e (word, number)
                    ) w WHERE w.bytes <= \(fragment: words)
                ) END)
            FROM jsonb_each(\(fragment: request)) m
        ) END
        """
    }

    /// Returns an expression for a failure. If the failure is long, its message is cut and its details are
    /// left out.
    ///
    /// - Parameter failure: A column with a `ComposeFailure`.
    static func failure(_ failure: SQL) -> SQL {
        let message = text("(\(fragment: failure)->>'message')")
        return """
            CASE WHEN \(fragment: failure) IS NULL OR \(fragment: isShort(failure)) THEN \(fragment: failure)
                ELSE \(fragment: failure) || jsonb_build_object('message', \(fragment: message), 'details', '[]'::jsonb) END
            """
    }
}
