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
        /// Packages of the same name, version and architecture that were not taken, in words.
        public var overruled: [String]

        public init(_ package: LockedPackage, chain: [Link], source: String, overruled: [String]) {
            self.package = package.nevra
            tree = String(package.tree)
            self.chain = chain
            self.source = source
            checksum = package.checksum
            size = package.size
            path = package.path
            module = package.module
            self.overruled = overruled
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
