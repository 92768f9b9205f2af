/// A set of bits, each of which has a name on the wire.
public protocol NamedOptions: OptionSet, Hashable, Sendable, Codable where RawValue == Int, Element == Self {
    /// Every bit with its name, in the contract's order.
    static var names: [(name: String, option: Self)] { get }
}

extension NamedOptions {
    /// The names of the bits that are set, in the contract's order.
    public var names: [String] {
        Self.names.filter { contains($0.option) }.map(\.name)
    }

    /// The option called `name`, `nil` where there is none.
    public init?(name: String) {
        guard let match = Self.names.first(where: { $0.name == name }) else { return nil }
        self = match.option
    }
}

/// How a compose is to be made; the bits are those of the HTTP contract.
public struct ComposeFlags: NamedOptions {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Exactly the requested packages, not what they need.
    public static let noDeps = Self(rawValue: 1)
    public static let noInheritance = Self(rawValue: 2)
    public static let includeUnpublishedPulpRepos = Self(rawValue: 4)
    /// Anything that could not be installed fails the compose.
    public static let checkDeps = Self(rawValue: 8)
    public static let includeDoneModules = Self(rawValue: 16)
    public static let ignoreAbsentPulpRepos = Self(rawValue: 32)
    /// Build it anew even where an equal one exists.
    public static let noReuse = Self(rawValue: 64)
    public static let useOnlyCompatibleArch = Self(rawValue: 128)
    public static let noLabel = Self(rawValue: 256)

    public static var names: [(name: String, option: Self)] {
        [
            ("no_deps", .noDeps), ("no_inheritance", .noInheritance),
            ("include_unpublished_pulp_repos", .includeUnpublishedPulpRepos), ("check_deps", .checkDeps),
            ("include_done_modules", .includeDoneModules), ("ignore_absent_pulp_repos", .ignoreAbsentPulpRepos),
            ("no_reuse", .noReuse), ("use_only_compatible_arch", .useOnlyCompatibleArch), ("no_label", .noLabel),
        ]
    }
}

/// What a compose yields; a repository always.
public struct ComposeResults: NamedOptions {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let repository = Self(rawValue: 1)
    public static let iso = Self(rawValue: 2)
    public static let ostree = Self(rawValue: 4)
    public static let bootISO = Self(rawValue: 8)

    public static var names: [(name: String, option: Self)] {
        [("repository", .repository), ("iso", .iso), ("ostree", .ostree), ("boot.iso", .bootISO)]
    }
}

/// Which 32-bit packages go along with `multilib_arches`.
public struct MultilibMethods: NamedOptions {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let runtime = Self(rawValue: 1)
    public static let devel = Self(rawValue: 2)
    public static let all = Self(rawValue: 4)

    /// `none` and `iso` are accepted and set nothing.
    public static var names: [(name: String, option: Self)] {
        [("none", []), ("iso", []), ("runtime", .runtime), ("devel", .devel), ("all", .all)]
    }

    public var names: [String] {
        isEmpty ? [] : Self.names.filter { !$0.option.isEmpty && contains($0.option) }.map(\.name)
    }
}
