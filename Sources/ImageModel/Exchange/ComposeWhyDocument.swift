/// The answer to the question why a package is in a compose, in the form of the API.
public struct ComposeWhyDocument: Hashable, Sendable, Codable {
    /// A link of the chain from the package to the request.
    public struct Link: Hashable, Sendable, Codable {
        /// The name, epoch, version, release and architecture.
        public var package: String
        /// The reason for the package in a sentence. Example: `requested by httpd`.
        public var why: String
        /// The kind of the reason. Examples: `requested`, `requiredBy`.
        public var kind: String

        public init(package: String, why: String, kind: String) {
            self.package = package
            self.why = why
            self.kind = kind
        }
    }

    /// Where Koji has a package, and which of its files was taken.
    public struct Koji: Hashable, Sendable, Codable {
        /// The build as name, version and release. Example: `ed-1.14.2-2.fc26`.
        public var build: String
        /// The tags from the compose's tag to the tag that has the build. Empty if the request named the build.
        /// Example: `["f26-updates", "f26"]` if `f26-updates` inherits the build from `f26`.
        public var tags: [String]
        /// The key that has signed the package's file. `nil` for an unsigned file.
        @OrNull public var key: String?
        /// Keys that have signed the package too, and whose files were not taken.
        public var otherKeys: [String]

        public init(build: String, tags: [String], key: String?, otherKeys: [String]) {
            self.build = build
            self.tags = tags
            self.key = key
            self.otherKeys = otherKeys
        }

        private enum CodingKeys: String, CodingKey {
            case build, tags, key
            case otherKeys = "other_keys"
        }

        /// Creates the origin that a lock file records. Returns `nil` for a package that does not come from
        /// Koji.
        ///
        /// - Parameter ways: The tags from the compose's tag to each other tag, by the name of the last one.
        public init?(_ package: LockedPackage, ways: [String: [String]]) {
            guard let build = package.build else { return nil }
            self.init(
                build: build, tags: package.tag.map { ways[$0] ?? [$0] } ?? [], key: package.key, otherKeys: package.otherKeys ?? [])
        }

        /// The tags in words. Example: `f26-updates, which inherits it from f26`. `nil` if the request named
        /// the build.
        public var way: String? {
            guard let first = tags.first else { return nil }
            let others = tags.dropFirst()
            return others.isEmpty ? first : "\(first), which inherits it from \(others.joined(separator: ", which inherits it from "))"
        }

        /// The signature in words. Example: `signed by 64dab85d (not taken: 0b3e5524)`.
        public var signature: String {
            let others = otherKeys.isEmpty ? "" : " (not taken: \(otherKeys.joined(separator: ", ")))"
            return (key.map { "signed by \($0)" } ?? "the unsigned file") + others
        }
    }

    /// A build of the package in one tree of the compose.
    public struct Package: Hashable, Sendable, Codable {
        public var package: String
        /// The tree: a base architecture, or `source`.
        public var tree: String
        /// The shortest chain to the request. It begins with the package itself.
        public var chain: [Link]
        /// The repository or the tag that the package was taken from, in words.
        public var source: String
        public var checksum: String
        public var size: Int
        public var path: String
        @OrNull public var module: String?
        /// The origin in Koji. `nil` if the package does not come from there, or if a server of an older
        /// version has made the compose.
        @OrNull public var koji: Koji?
        /// Packages of the same name, version and architecture that were not taken, in words.
        public var overruled: [String]
        /// Other builds of the package that the repositories have, the newest first. `nil` if a server of an
        /// older version answers.
        @OrNull public var otherBuilds: [String]?

        private enum CodingKeys: String, CodingKey {
            case package, tree, chain, source, checksum, size, path, module, koji, overruled
            case otherBuilds = "other_builds"
        }

        public init(_ package: LockedPackage, chain: [Link], source: String, koji: Koji? = nil, overruled: [String]) {
            self.package = package.nevra
            tree = String(package.tree)
            self.chain = chain
            self.source = source
            checksum = package.checksum
            size = package.size
            path = package.path
            module = package.module
            self.koji = koji
            self.overruled = overruled
            otherBuilds = package.otherBuilds ?? []
        }
    }

    public var compose: Int
    /// The name that was asked for.
    public var name: String
    public var packages: [Package]

    public init(compose: Int, name: String, packages: [Package]) {
        self.compose = compose
        self.name = name
        self.packages = packages
    }
}
