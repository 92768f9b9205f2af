/// A set of bits that each have a name in the HTTP contract. Example: ``ComposeFlags/noReuse`` is bit
/// 64, `no_reuse`.
public protocol NamedOptions: OptionSet, Hashable, Sendable, Codable where RawValue == Int, Element == Self {
    /// Every bit with its name, in the contract's order.
    static var names: [(name: String, option: Self)] { get }
}

extension NamedOptions {
    /// The names of the bits that are set, in the contract's order.
    public var names: [String] {
        isEmpty ? [] : Self.names.filter { contains($0.option) }.map(\.name)
    }

    /// Creates the option called `name`, or returns `nil` if no option has that name.
    public init?(name: String) {
        guard let match = Self.names.first(where: { $0.name == name }) else { return nil }
        self = match.option
    }
}

/// The flags of a request. The bits are those of the HTTP contract.
public struct ComposeFlags: NamedOptions {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The compose has exactly the requested packages, without their dependencies.
    public static let noDeps = Self(rawValue: 1)
    public static let noInheritance = Self(rawValue: 2)
    public static let includeUnpublishedPulpRepos = Self(rawValue: 4)
    /// The compose fails if one of its packages could not be installed.
    public static let checkDeps = Self(rawValue: 8)
    public static let includeDoneModules = Self(rawValue: 16)
    public static let ignoreAbsentPulpRepos = Self(rawValue: 32)
    /// The compose is built even if an equal one exists.
    public static let noReuse = Self(rawValue: 64)
    public static let useOnlyCompatibleArch = Self(rawValue: 128)
    public static let noLabel = Self(rawValue: 256)

    public static let names: [(name: String, option: Self)] = [
        ("no_deps", .noDeps), ("no_inheritance", .noInheritance),
        ("include_unpublished_pulp_repos", .includeUnpublishedPulpRepos), ("check_deps", .checkDeps),
        ("include_done_modules", .includeDoneModules), ("ignore_absent_pulp_repos", .ignoreAbsentPulpRepos),
        ("no_reuse", .noReuse), ("use_only_compatible_arch", .useOnlyCompatibleArch), ("no_label", .noLabel),
    ]
}

/// The kinds of results of a compose. A repository is always one of them.
public struct ComposeResults: NamedOptions {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let repository = Self(rawValue: 1)
    public static let iso = Self(rawValue: 2)
    public static let ostree = Self(rawValue: 4)
    public static let bootISO = Self(rawValue: 8)

    public static let names: [(name: String, option: Self)] = [
        ("repository", .repository), ("iso", .iso), ("ostree", .ostree), ("boot.iso", .bootISO),
    ]
}

/// The methods that choose 32-bit packages for `multilib_arches`.
public struct MultilibMethods: NamedOptions {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let runtime = Self(rawValue: 1)
    public static let devel = Self(rawValue: 2)
    public static let all = Self(rawValue: 4)

    /// All names. `none` and `iso` are accepted but set no bit.
    public static let names: [(name: String, option: Self)] = [
        ("none", []), ("iso", []), ("runtime", .runtime), ("devel", .devel), ("all", .all),
    ]

    public var names: [String] {
        isEmpty ? [] : Self.names.filter { !$0.option.isEmpty && contains($0.option) }.map(\.name)
    }
}
