/// A group search finds the groups of a person: the entries directly below a base to which a filter
/// applies. The names of a group are the values of its attribute `cn`.
///
/// **Example:** the base `ou=groups,dc=example,dc=org` and the filter `memberUid={}`.
public struct GroupSearch: Hashable, Sendable {
    /// The distinguished name of the entry that the groups are below.
    public let base: String
    /// A filter (RFC 4515) with `{}` at the place of the person's name.
    private let filter: String

    /// - Throws: The problem of a filter that cannot be used.
    public init(base: String, filter: String) throws(DirectorySettingProblem) {
        guard filter.contains("{}") else {
            throw DirectorySettingProblem(
                description: "has the filter \(filter) without {}, the place of the person's name; everybody would be in all groups")
        }
        self.base = base
        self.filter = filter
        guard LDAPConnection.isFilter(self.filter(for: "joe")) else {
            throw DirectorySettingProblem(description: "has the filter \(filter), which is not a filter of LDAP (RFC 4515)")
        }
    }

    /// Returns the filter for one person. Each character of the name that means something in a filter is
    /// escaped: the name `*` would otherwise be in all groups.
    func filter(for name: String) -> String {
        let escaped = name.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "*"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"), 0..<0x20, 0x7F...:
                "\\" + String(byte >> 4, radix: 16) + String(byte & 0xF, radix: 16)
            default: String(UnicodeScalar(byte))
            }
        }
        return filter.replacing("{}", with: escaped.joined())
    }
}
