import Postgres

/// What a list reads of a text or a request that may be long: the beginning, which ends with `…`. So a page of a list has a bound.
///
/// A compose read by its id has everything. PostgreSQL cuts, because a page of a hundred whole requests is a hundred megabytes.
enum ShortColumns {
    /// How many bytes of a list of words are kept.
    private static let words: SQL = "2000"
    /// How many characters of a text are kept, of which each can have four bytes.
    private static let characters: SQL = "500"
    /// How many bytes a request or a failure may have that is read as it is.
    private static let whole: SQL = "4000"

    /// - Parameter text: A column or an expression of the type `text`.
    static func text(_ text: SQL) -> SQL {
        """
        CASE WHEN octet_length(\(fragment: text)) <= \(fragment: words) THEN \(fragment: text)
            ELSE left(\(fragment: text), \(fragment: characters)) || '…' END
        """
    }

    /// A request whose lists hold only their first words, and then `…`.
    ///
    /// - Parameter request: A column with a `ComposeRequest`, all of whose lists are lists of words.
    static func request(_ request: SQL) -> SQL {
        """
        CASE WHEN octet_length(\(fragment: request)::text) <= \(fragment: whole) THEN \(fragment: request) ELSE (
            SELECT jsonb_object_agg(m.key, CASE
                WHEN jsonb_typeof(m.value) <> 'array' OR octet_length(m.value::text) <= \(fragment: words) THEN m.value
                ELSE (
                    SELECT coalesce(jsonb_agg(w.word ORDER BY w.number), '[]') || '["…"]'
                    FROM (
                        SELECT e.word, e.number, sum(octet_length(e.word) + 1) OVER (ORDER BY e.number) AS bytes
                        FROM jsonb_array_elements_text(m.value) WITH ORDINALITY AS e (word, number)
                    ) w WHERE w.bytes <= \(fragment: words)
                ) END)
            FROM jsonb_each(\(fragment: request)) m
        ) END
        """
    }

    /// A failure whose message is cut and whose details are left out if it is long.
    ///
    /// - Parameter failure: A column with a `ComposeFailure`.
    static func failure(_ failure: SQL) -> SQL {
        let message = text("(\(fragment: failure)->>'message')")
        return """
            CASE WHEN octet_length(\(fragment: failure)::text) <= \(fragment: whole) THEN \(fragment: failure)
                ELSE \(fragment: failure) || jsonb_build_object('message', \(fragment: message), 'details', '[]'::jsonb) END
            """
    }
}
