/// An entry of a tag's list of packages. Only a package of the list can have builds in the tag.
public struct KojiListedPackage: Hashable, Sendable {
    /// The name of the package, which is that of its source RPM.
    public var name = ""
    /// The tag that the entry comes from: the tag itself, or one that it inherits from.
    public var tagName = ""
    /// Whether the tag may have no builds of the package.
    public var isBlocked = false

    public init() {}
}

extension KojiListedPackage: AnswerRow {
    enum Member: String, CaseIterable {
        case blocked
        case name = "package_name"
        case tagName = "tag_name"
    }

    static var noun: String { "package" }

    mutating func take(_ member: Member, _ value: RowScalar) throws(RowScalar.Mismatch) {
        switch member {
        case .blocked: isBlocked = try value.bool
        case .name: name = try value.string
        case .tagName: tagName = try value.string
        }
    }

    var missing: Member? { name.isEmpty ? .name : nil }
}
