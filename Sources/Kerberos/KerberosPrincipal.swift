/// A Kerberos principal is the name of a person, a program or a host in a realm. Examples:
/// `joe@EXAMPLE.ORG`, `osbs/build1.example.org@EXAMPLE.ORG`.
struct KerberosPrincipal: Hashable, Sendable {
    /// The name without the realm. Example: `osbs/build1.example.org`.
    let name: String
    let realm: String

    /// Parses the text that GSSAPI shows for a principal.
    ///
    /// GSSAPI writes a backslash before each `@`, `/` or control character that belongs to a part of the
    /// name. Such names are refused: `joe\@EXAMPLE.ORG@OTHER.ORG` would look like another person.
    init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !text.contains("\\") else { return nil }
        name = String(parts[0])
        realm = String(parts[1])
    }
}
