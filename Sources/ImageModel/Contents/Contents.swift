/// The *contents* of an image are the packages of one manifest, which is an image for one platform. A
/// manifest's contents never change, so they are read once.
public struct Contents: Hashable, Sendable {
    /// How certain the packages are.
    public enum State: Hashable, Sendable {
        /// The rpmdb was read. The packages are all that it has.
        case read([InstalledPackage])
        /// The image has no rpmdb.
        case none
        /// The image has an rpmdb that could not be read, for this reason. So the image may have anything.
        case unknown(String)
    }

    public var digest: ImageDigest
    public var platform: Platform
    /// The uncompressed layers from the base upwards. The layers of a parent are a beginning of them.
    public var layers: [ImageDigest]
    public var state: State

    public init(digest: ImageDigest, platform: Platform, layers: [ImageDigest] = [], state: State) {
        self.digest = digest
        self.platform = platform
        self.layers = layers
        self.state = state
    }

    /// The packages. Nil if they are unknown. Empty if there is no rpmdb.
    public var packages: [InstalledPackage]? {
        switch state {
        case .read(let packages): packages
        case .none: []
        case .unknown: nil
        }
    }
}

/// A *contents difference* is the change of an image's packages from one manifest to another.
public struct ContentsDifference: Hashable, Sendable {
    /// A package line whose builds differ.
    public struct Change: Hashable, Sendable {
        public let line: PackageLine
        /// The builds, the newest last.
        public let before: [EVR]
        public let after: [EVR]

        /// Whether the newest build is older than before.
        public var isDowngrade: Bool { zip(before.suffix(1), after.suffix(1)).contains { $1 < $0 } }
    }

    public var added: [InstalledPackage] = []
    public var removed: [InstalledPackage] = []
    public var changed: [Change] = []

    public var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty }

    public init(from before: [InstalledPackage], to after: [InstalledPackage]) {
        let (old, new) = (Dictionary(grouping: before, by: \.line), Dictionary(grouping: after, by: \.line))
        for line in Set(old.keys).union(new.keys).sorted() {
            switch (old[line], new[line]) {
            case (let old?, let new?):
                let (before, after) = (old.map(\.evr).sorted(), new.map(\.evr).sorted())
                if before != after { changed.append(Change(line: line, before: before, after: after)) }
            case (let old?, nil): removed += old
            case (nil, let new?): added += new
            case (nil, nil): break
            }
        }
    }
}
