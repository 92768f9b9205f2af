/// A tag, as it was at the requested event.
public struct KojiTag: Hashable, Sendable {
    public var id = 0
    public var name = ""
    /// The tag's architectures, separated by blanks. Empty for a tag that is not a target of builds.
    public var arches = ""
    public var isLocked = false
    /// The event at which the tag was deleted. `nil` if the tag still exists, or if the hub was not asked.
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

/// A direct or indirect parent of a tag. Parents are listed in the order in which Koji searches them
/// for builds.
public struct KojiInheritance: Hashable, Sendable {
    public var parentID = 0
    /// The parent's name.
    public var name = ""
    /// The number of the tag that has it as a direct parent.
    public var childID = 0
    public var priority = 0
    /// The number of steps from the requested tag. A direct parent has 1.
    public var currentDepth = 0
    public var maximumDepth: Int?
    public var isIntransitive = false
    /// A regular expression. Only packages whose names match it are inherited.
    public var packageFilter = ""
    /// Whether only builds are inherited from it, and not its list of packages.
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

/// A moment in the history of a hub's database. Each change of the database is an event, and a later
/// event has a larger number.
public struct KojiEvent: Hashable, Sendable {
    public var id = 0
    /// The time in seconds since 1970.
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

/// A change of a tag. Examples: a build was tagged or untagged, a package was blocked, a parent was
/// added.
public struct KojiTagChange: Hashable, Sendable {
    /// A table in which the hub keeps the history of tags. The hub's `tagChangedSinceEvent` looks at all of
    /// them.
    public enum Table: String, Hashable, Sendable, CaseIterable {
        /// Builds in tags.
        case tagListing = "tag_listing"
        /// Parents of tags.
        case tagInheritance = "tag_inheritance"
        /// The packages that a tag has, and those that are blocked.
        case tagPackages = "tag_packages"
        /// The tags themselves: their names, their architectures, and whether they exist.
        case tagConfig = "tag_config"
        /// Further settings of tags.
        case tagExtra = "tag_extra"
        /// The external repositories of tags.
        case tagExternalRepos = "tag_external_repos"
        /// The groups of packages in tags.
        case groupConfig = "group_config"
        case groupRequirements = "group_req_listing"
        case groupPackages = "group_package_listing"
    }

    public var table = Table.tagListing
    public var tagID = 0
    public var tagName = ""
    /// The event at which the row's statement became true.
    public var createEvent = 0
    /// The event at which it ceased to be true. `nil` while it is true.
    public var revokeEvent: Int?
    /// The number of the build, in ``Table/tagListing``.
    public var buildID: Int?
    /// The name of the build's package, in ``Table/tagListing``.
    public var packageName: String?
    public var version: String?
    public var release: String?
    /// The present state of the build, in ``Table/tagListing``. `nil` also for a state that this version
    /// does not know.
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
