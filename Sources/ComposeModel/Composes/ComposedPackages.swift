/// The packages that a request resolved to, without the state of its sources at that moment.
///
/// Two composes with an equal ``key()`` have the same repositories, even if their specifications
/// differ. For example, the tag has changed in between, but no package that the request selects from it
/// has.
public struct ComposedPackages: Hashable, Sendable {
    /// A package, identified by its file.
    public struct File: Hashable, Sendable {
        /// Example: `ed-1-1.x86_64`.
        public var nevra: String
        /// The checksum of the whole file. Example: `sha256:…`.
        public var checksum: String
        /// The file's place in its source. Example: `packages/ed-1-1.x86_64.rpm`.
        public var location: String

        public init(nevra: String, checksum: String, location: String) {
            self.nevra = nevra
            self.checksum = checksum
            self.location = location
        }
    }

    /// The whole request, with empty pins.
    private let specification: ComposeSpecification
    private let source: [String]
    private let builds: [String]
    private let scratchBuildTasks: [String]
    private let lookasideRepos: [String]
    /// The packages of each repository, sorted. The key is the repository's name, for example `x86_64/os`.
    private let repositories: [String: [File]]
    /// The module documents of each repository, or `nil` if no repository has any.
    private let modules: [String: String]?
    /// The checksums of other documents of the source that the compose includes, by their types.
    private let documents: [String: String]

    /// Creates the description of a compose's packages.
    ///
    /// - Parameters:
    ///   - repositories: The packages by the name of their repository. Example: `x86_64/os`.
    ///   - modules: The module documents of each repository, as YAML in the form that is about to be
    ///     written. A repository without modules has no entry.
    ///   - documents: The checksums of other documents that are copied, by their types. Example of a type:
    ///     `updateinfo`.
    public init(
        _ request: ComposeRequest, repositories: [String: [File]], modules: [String: String] = [:], documents: [String: String] = [:]
    ) {
        var specification = ComposeSpecification(request, pins: ComposePins())
        // A lock names packages. If a result has them, it does not matter whether they were locked.
        specification.lock = nil
        self.specification = specification
        source = request.source.sorted()
        builds = request.builds.sorted()
        scratchBuildTasks = request.scratchBuildTasks.sorted()
        lookasideRepos = request.lookasideRepos
        self.repositories = repositories.mapValues { files in
            files.sorted { ($0.nevra, $0.checksum, $0.location) < ($1.nevra, $1.checksum, $1.location) }
        }
        self.modules = modules.isEmpty ? nil : modules
        self.documents = documents
    }

    /// Returns the SHA-256 of the request and its packages, in hexadecimal.
    public func key() throws -> String {
        var json = JSONWriter()
        try json.object { json in
            func member(_ name: String, _ value: some Encodable) throws {
                json.name(name)
                json.value(try CanonicalJSON.encode(value))
            }
            try member("specification", specification)
            try member("source", source)
            try member("builds", builds)
            try member("scratchBuildTasks", scratchBuildTasks)
            try member("lookasideRepos", lookasideRepos)
            try member("modules", modules)
            if !documents.isEmpty { try member("documents", documents) }
            json.member("repositories") { json in
                for (name, files) in repositories.sorted(by: { $0.key < $1.key }) {
                    json.name(name)
                    json.array(files) { json, file in
                        json.object { json in
                            json.member("nevra", file.nevra)
                            json.member("checksum", file.checksum)
                            json.member("location", file.location)
                        }
                    }
                }
            }
        }
        return CanonicalJSON.digest(json.bytes)
    }
}
