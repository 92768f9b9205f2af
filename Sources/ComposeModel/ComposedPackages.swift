/// The packages that a request came to, whatever its sources were at that moment.
///
/// Two composes with equal ``key()``s show the same repositories, although the specifications of what they were made from differ: the tag had
/// changed in between, or the repository, but nothing of it that the request asks for.
public struct ComposedPackages: Hashable, Sendable {
    /// One package, as the file that it is.
    public struct File: Hashable, Sendable {
        public var nevra: String
        /// Of the whole file: `sha256:…`.
        public var checksum: String
        /// Where its source has it.
        public var location: String

        public init(nevra: String, checksum: String, location: String) {
            self.nevra = nevra
            self.checksum = checksum
            self.location = location
        }
    }

    /// Everything that was asked for, without what the sources were.
    private let specification: ComposeSpecification
    private let source: [String]
    private let builds: [String]
    private let scratchBuildTasks: [String]
    private let lookasideRepos: [String]
    /// By the name of the repository that they go to: `x86_64/os`. Sorted.
    private let repositories: [String: [File]]
    /// What each of them says of modules, if they have any.
    private let modules: [String: String]?
    /// The checksums of other documents of the source that the compose has, by their types.
    private let documents: [String: String]

    /// - Parameters:
    ///   - modules: the documents of each repository's modules in YAML, as it is about to be written; a repository without has none.
    ///   - documents: the checksums of other documents that are taken over, by their types: `updateinfo`.
    public init(
        _ request: ComposeRequest, repositories: [String: [File]], modules: [String: String] = [:], documents: [String: String] = [:]
    ) {
        specification = ComposeSpecification(request, pins: ComposePins())
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

    /// The SHA-256 of all of it, in hexadecimal.
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
