import Foundation
public import Postgres

/// The database's schema as this version of the program expects it.
public enum Schema {
    /// Brings the database to this version. An empty database gets all of schema.sql. An older one gets the
    /// files of migrations/ that it lacks.
    ///
    /// - Throws: `MigrationError`, for example if the database belongs to a newer version. `PostgresError`
    ///   if a statement fails.
    public static func migrate(_ pool: PostgresPool) async throws -> MigrationOutcome {
        try await Migrator(pool: pool, schema: whole, migrations: migrations).migrate()
    }

    /// The version that this program needs.
    static var version: Int { migrations.last?.number ?? 1 }

    /// The settings of the sessions of this program. They announce its version, so that triggers can keep
    /// work that an older program would do wrongly.
    public static var sessionSettings: [String: String] { ["odcs.schema_version": "\(version)"] }

    /// The text of schema.sql.
    static let whole = text(PackageResources.schema_sql)

    /// The files of migrations/ from version 2 on, in order.
    static let migrations: [Migration] = [
        Migration(number: 2, name: "submissions-and-tallies", sql: text(PackageResources._002_submissions_and_tallies_sql)),
        Migration(number: 3, name: "packages-and-watches", sql: text(PackageResources._003_packages_and_watches_sql)),
        Migration(number: 4, name: "awaiting-signatures", sql: text(PackageResources._004_awaiting_signatures_sql)),
        Migration(number: 5, name: "list-filters", sql: text(PackageResources._005_list_filters_sql)),
        Migration(number: 6, name: "shared-expiry-and-turns", sql: text(PackageResources._006_shared_expiry_and_turns_sql)),
        Migration(number: 7, name: "callers", sql: text(PackageResources._007_callers_sql)),
        Migration(number: 8, name: "source-types", sql: text(PackageResources._008_source_types_sql)),
        Migration(number: 9, name: "images", sql: text(PackageResources._009_images_sql)),
        Migration(number: 10, name: "pins-and-verification", sql: text(PackageResources._010_pins_and_verification_sql)),
        Migration(number: 11, name: "build-submissions", sql: text(PackageResources._011_build_submissions_sql)),
        Migration(number: 12, name: "rebuilds", sql: text(PackageResources._012_rebuilds_sql)),
        Migration(number: 13, name: "rebuild-submissions", sql: text(PackageResources._013_rebuild_submissions_sql)),
        Migration(number: 14, name: "tokens", sql: text(PackageResources._014_tokens_sql)),
        Migration(number: 15, name: "owners", sql: text(PackageResources._015_owners_sql)),
        Migration(number: 16, name: "redone-steps", sql: text(PackageResources._016_redone_steps_sql)),
        Migration(number: 17, name: "audit-by-age", sql: text(PackageResources._017_audit_by_age_sql)),
        Migration(number: 18, name: "submitted-composes", sql: text(PackageResources._018_submitted_composes_sql)),
        Migration(number: 19, name: "expiring-tokens", sql: text(PackageResources._019_expiring_tokens_sql)),
        Migration(number: 20, name: "token-uses", sql: text(PackageResources._020_token_uses_sql)),
        Migration(number: 21, name: "events-by-age", sql: text(PackageResources._021_events_by_age_sql)),
        Migration(number: 22, name: "worker-presence", sql: text(PackageResources._022_worker_presence_sql)),
        Migration(number: 23, name: "shown-changes", sql: text(PackageResources._023_shown_changes_sql)),
        Migration(number: 24, name: "farms", sql: text(PackageResources._024_farms_sql)),
        Migration(number: 25, name: "artifact-names", sql: text(PackageResources._025_artifact_names_sql)),
        Migration(number: 26, name: "provenance-and-rules", sql: text(PackageResources._026_provenance_and_rules_sql)),
        Migration(number: 27, name: "events", sql: text(PackageResources._027_events_sql)),
        Migration(number: 28, name: "questions", sql: text(PackageResources._028_questions_sql)),
        Migration(number: 29, name: "answers", sql: text(PackageResources._029_answers_sql)),
        Migration(number: 30, name: "sessions", sql: text(PackageResources._030_sessions_sql)),
        Migration(number: 31, name: "traceparents", sql: text(PackageResources._031_traceparents_sql)),
        Migration(number: 32, name: "newer-programs", sql: text(PackageResources._032_newer_programs_sql)),
        Migration(number: 33, name: "uploads-and-claims", sql: text(PackageResources._033_uploads_and_claims_sql)),
    ]

    private static func text(_ resource: [UInt8]) -> String { String(decoding: resource, as: UTF8.self) }
}
