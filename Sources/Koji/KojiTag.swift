/// A tag as it was at the event that was asked for.
public struct KojiTag: Hashable, Sendable {
    public var id = 0
    public var name = ""
    /// Separated by blanks; empty for a tag that is not built for.
    public var arches = ""
    public var isLocked = false
    /// The event at which it was deleted; `nil` for a tag that is still there, or where the hub was not asked.
    public var revokeEvent: Int?

    public init() {}
}

extension KojiTag: AnswerRow {
    enum Member: String, CaseIterable {
        case arches, id, locked, name
        case revokeEvent = "revoke_event"
    }

    static var noun: String { "tag" }

    mutating func take(_ member: Member, _ value: RowScalar) throws(RowScalar.Mismatch) {
        switch member {
        case .arches: arches = try value.string
        case .id: id = try value.int
        case .locked: isLocked = try value.bool
        case .name: name = try value.string
        case .revokeEvent: revokeEvent = try value.int
        }
    }

    var missing: Member? { id == 0 ? .id : name.isEmpty ? .name : nil }
}

/// A parent of a tag, its own or one of its parents', in the order in which builds are looked for.
public struct KojiInheritance: Hashable, Sendable {
    public var parentID = 0
    /// The parent's name.
    public var name = ""
    /// The tag that has it as a parent.
    public var childID = 0
    public var priority = 0
    /// How many steps it is away from the tag that was asked for; the first is 1.
    public var currentDepth = 0
    public var maximumDepth: Int?
    public var isIntransitive = false
    /// A regular expression: only packages with such a name come from it.
    public var packageFilter = ""
    /// Only builds come from it, and not its list of packages.
    public var isNoConfig = false

    public init() {}
}

extension KojiInheritance: AnswerRow {
    enum Member: String, CaseIterable {
        case intransitive, maxdepth, name, noconfig
        case parentID = "parent_id"
        case packageFilter = "pkg_filter"
        case priority
        case childID = "child_id"
        case currdepth
    }

    static var noun: String { "parent" }

    mutating func take(_ member: Member, _ value: RowScalar) throws(RowScalar.Mismatch) {
        switch member {
        case .intransitive: isIntransitive = try value.bool
        case .maxdepth: maximumDepth = try value.int
        case .name: name = try value.string
        case .noconfig: isNoConfig = try value.bool
        case .parentID: parentID = try value.int
        case .packageFilter: packageFilter = try value.string
        case .priority: priority = try value.int
        case .childID: childID = try value.int
        case .currdepth: currentDepth = try value.int
        }
    }

    var missing: Member? { parentID == 0 ? .parentID : nil }
}

/// A moment in the history of a hub's database: each change of it has one, and the next one has a larger number.
public struct KojiEvent: Hashable, Sendable {
    public var id = 0
    /// Seconds since 1970.
    public var timestamp = 0.0

    public init() {}
}

extension KojiEvent: AnswerRow {
    enum Member: String, CaseIterable {
        case id
        case timestamp = "ts"
    }

    static var noun: String { "event" }

    mutating func take(_ member: Member, _ value: RowScalar) throws(RowScalar.Mismatch) {
        switch member {
        case .id: id = try value.int
        case .timestamp: timestamp = try value.double
        }
    }

    var missing: Member? { id == 0 ? .id : nil }
}

/// A change of a tag: a build that was tagged or untagged, a package that was blocked, a parent that was added.
public struct KojiTagChange: Hashable, Sendable {
    /// Where the hub keeps the history of tags.
    public enum Table: String, Hashable, Sendable, CaseIterable {
        /// Builds in tags.
        case tagListing = "tag_listing"
        /// Parents of tags.
        case tagInheritance = "tag_inheritance"
        /// Which packages a tag has, and which are blocked.
        case tagPackages = "tag_packages"
        /// The name, the architectures, and whether the tag exists.
        case tagConfig = "tag_config"
    }

    public var table = Table.tagListing
    public var tagID = 0
    public var tagName = ""
    /// When what the row says became true.
    public var createEvent = 0
    /// When it ceased to be true; `nil` while it is.
    public var revokeEvent: Int?
    /// The build, in ``Table/tagListing``.
    public var buildID: Int?
    /// The name of the build's package, in ``Table/tagListing``.
    public var packageName: String?
    public var version: String?
    public var release: String?
    /// What the build is now, in ``Table/tagListing``; `nil` also for a state that this version does not know.
    public var buildState: KojiBuild.State?

    public init() {}
}

extension KojiTagChange: AnswerRow {
    enum Member: String, CaseIterable {
        case buildID = "build_id"
        case buildState = "build.state"
        case createEvent = "create_event"
        case name
        case packageName = "package.name"
        case release
        case revokeEvent = "revoke_event"
        case tagName = "tag.name"
        case tagID = "tag_id"
        case version
    }

    static var noun: String { "change" }

    mutating func take(_ member: Member, _ value: RowScalar) throws(RowScalar.Mismatch) {
        switch member {
        case .buildID: buildID = try value.int
        case .buildState: buildState = KojiBuild.State(rawValue: try value.int)
        case .createEvent: createEvent = try value.int
        case .name, .packageName: packageName = try value.string
        case .release: release = try value.string
        case .revokeEvent: revokeEvent = try value.int
        case .tagName: tagName = try value.string
        case .tagID: tagID = try value.int
        case .version: version = try value.string
        }
    }

    var missing: Member? { tagID == 0 ? .tagID : nil }
}
