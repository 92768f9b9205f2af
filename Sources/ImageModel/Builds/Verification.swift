/// A *verification* compares the contents of a new image on one platform with those of the image
/// before, and with the packages that the build had to bring. It is made before a tag moves.
///
/// Keys in the rpmdb (`gpg-pubkey`) are not compared. They are no software, and their versions have no
/// order.
public struct Verification: Hashable, Sendable {
    /// An image that the new one builds on.
    public struct Parent: Hashable, Sendable {
        /// The name for people. Example: `team/base`.
        public let name: String
        public let contents: Contents

        public init(name: String, contents: Contents) {
            self.name = name
            self.contents = contents
        }
    }

    /// A package of the new image that is older than it should be.
    public struct StillOlder: Hashable, Sendable, Codable {
        public let installed: InstalledPackage
        public let newest: EVR
        /// The parent that has the same package already. Nil if the Containerfile of the image installs it.
        public let parent: String?
        /// The uncompressed layer that brings the package. Nil if several layers may bring it.
        public let layer: ImageDigest?
    }

    /// A package that the new image has in another build than the image before.
    public struct Change: Hashable, Sendable, Codable {
        public let before: InstalledPackage
        public let after: InstalledPackage

        public var isDowngrade: Bool { after.evr < before.evr }
    }

    /// The reason why the contents of the new image are not known. Nil if they are.
    public let problem: String?
    /// The number of packages of the new image. Nil if they are not known.
    public let packages: Int?
    public internal(set) var stillOlder: [StillOlder] = []
    /// Packages of the image before that the new image has in no build.
    public internal(set) var vanished: [InstalledPackage] = []
    public internal(set) var changed: [Change] = []
    public internal(set) var added: [InstalledPackage] = []
    /// Whether the build had to bring packages.
    public let hasWanted: Bool
    /// Whether the image before had an rpmdb, and the new image has none.
    public let hasLostDatabase: Bool

    public var downgraded: [Change] { changed.filter(\.isDowngrade) }

    /// - Parameters:
    ///   - before: The contents of the image that the new one replaces. Nil if there is none, or if
    ///     they are not known. Nothing vanishes then.
    ///   - wanted: The packages that the build had to bring. An image need not have them, but must not have
    ///     older ones.
    ///   - parents: The images that the last stage of the Containerfile builds on, if their contents are
    ///     known.
    public init(from before: Contents?, to after: Contents, wanted: [PackageLine: EVR] = [:], parents: [Parent] = []) {
        hasWanted = !wanted.isEmpty
        packages = after.packages?.count
        problem = if case .unknown(let problem) = after.state { problem } else { nil }
        hasLostDatabase = if case .read? = before?.state, case .none = after.state { true } else { false }
        guard let new = after.packages else { return }
        for package in new.sorted() {
            guard let newest = wanted[package.line], package.evr < newest else { continue }
            let parent = parents.first { $0.contents.packages?.contains { $0.line == package.line && $0.evr == package.evr } ?? false }
            stillOlder.append(
                StillOlder(
                    installed: package, newest: newest, parent: parent?.name,
                    layer: parent == nil ? Self.onlyOwnLayer(of: after, above: parents) : nil))
        }
        if let old = before?.packages { compare(old.filter { !$0.isKey }, new.filter { !$0.isKey }) }
    }

    /// A package that changes from an architecture to `noarch` or back is the same package.
    private mutating func compare(_ old: [InstalledPackage], _ new: [InstalledPackage]) {
        let (before, after) = (Dictionary(grouping: old, by: \.name), Dictionary(grouping: new, by: \.name))
        for name in Set(before.keys).union(after.keys).sorted() {
            let (before, after) = (Self.newest(before[name] ?? []), Self.newest(after[name] ?? []))
            for package in before {
                guard let other = after.first(where: package.isReplaced) else {
                    vanished.append(package)
                    continue
                }
                if other.evr != package.evr { changed.append(Change(before: package, after: other)) }
            }
            added += after.filter { package in !before.contains { $0.isReplaced(by: package) } }
        }
    }

    /// Returns the newest build for each architecture, in order.
    private static func newest(_ packages: [InstalledPackage]) -> [InstalledPackage] {
        Dictionary(grouping: packages, by: \.arch).values.compactMap { $0.max { $0.evr < $1.evr } }.sorted()
    }

    /// Returns the layer that the image has above its parent, if it is the only one.
    private static func onlyOwnLayer(of image: Contents, above parents: [Parent]) -> ImageDigest? {
        let below = parents.map(\.contents.layers).filter { !$0.isEmpty && image.layers.starts(with: $0) }.map(\.count).max() ?? 0
        return image.layers.count == below + 1 ? image.layers.last : nil
    }
}

extension InstalledPackage {
    /// Whether this is a key, which rpm keeps as if it were a package.
    fileprivate var isKey: Bool { name == "gpg-pubkey" }

    /// Whether the other package, which has the same name, takes the place of this one.
    fileprivate func isReplaced(by other: InstalledPackage) -> Bool {
        arch == other.arch || arch == "noarch" || other.arch == "noarch"
    }
}

extension [InstalledPackage] {
    fileprivate func sorted() -> [InstalledPackage] {
        sorted { $0.line == $1.line ? $0.evr < $1.evr : $0.line < $1.line }
    }
}
