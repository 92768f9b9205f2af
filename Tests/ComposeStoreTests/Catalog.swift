import Postgres

/// Everything that statements can create in a schema, one line each and in no order of creation: two schemas with equal lines behave alike.
///
/// It is read from PostgreSQL's own catalog. The name of the schema does not appear.
struct Catalog: Hashable {
    let lines: [String]

    init(_ pool: PostgresPool) async throws {
        let schema = try await pool.query("SELECT current_schema()::text AS name")[0].decode(String.self, "name")
        var lines: [String] = []
        for query in Self.queries {
            lines += try await pool.query("\(unsafe: query)").map { try $0.decode(String.self, "line").replacing("\(schema).", with: "") }
        }
        self.lines = lines.sorted()
    }

    /// The lines that only one of the two has.
    func difference(from other: Catalog) -> [String] {
        other.lines.filter { !lines.contains($0) }.map { "missing: \($0)" }
            + lines.filter { !other.lines.contains($0) }.map { "surplus: \($0)" }
    }

    private static let queries = [
        // Tables, indexes, sequences, views, types of rows: kind and options.
        """
        SELECT format('relation %s kind %s persistence %s options %s', relname, relkind, relpersistence, reloptions) AS line
        FROM pg_class WHERE relnamespace = current_schema()::regnamespace
        """,
        // A column that is added later stands last, so its place is left out.
        """
        SELECT format('column %s.%s %s null %s default %s identity %s generated %s collation %s', c.relname, a.attname,
            format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
            a.attcollation::regcollation) AS line
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
        """,
        """
        SELECT format('constraint %s on %s: %s validated %s', conname, conrelid::regclass, pg_get_constraintdef(oid), convalidated) AS line
        FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
        """,
        "SELECT 'index ' || indexdef AS line FROM pg_indexes WHERE schemaname = current_schema()",
        """
        SELECT format('trigger %s enabled %s', pg_get_triggerdef(t.oid), t.tgenabled) AS line
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
        """,
        "SELECT 'function ' || pg_get_functiondef(oid) AS line FROM pg_proc WHERE pronamespace = current_schema()::regnamespace",
        """
        SELECT format('type %s kind %s labels %s', typname, typtype,
            (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)) AS line
        FROM pg_type t WHERE typnamespace = current_schema()::regnamespace
        """,
        """
        SELECT format('sequence %s type %s start %s step %s from %s to %s cycles %s', sequencename, data_type, start_value, increment_by,
            min_value, max_value, cycle) AS line
        FROM pg_sequences WHERE schemaname = current_schema()
        """,
    ]
}
