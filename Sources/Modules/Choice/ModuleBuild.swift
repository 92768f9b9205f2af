/// A build of a module that a compose may take, as one of the places where modules come from knows it.
public struct ModuleBuild: Hashable, Sendable {
    /// A base module, as `platform`, that a build was made against.
    public struct Base: Hashable, Sendable {
        public let name: String
        public let stream: String
        /// The stream as a number that can be compared; `nil` where it has none.
        public let streamVersion: Double?

        public init(name: String, stream: String, streamVersion: Double?) {
            self.name = name
            self.stream = stream
            self.streamVersion = streamVersion
        }
    }

    /// What its modulemd document says, which for this purpose is the same for all architectures.
    public let stream: ModuleStream
    /// The tag of Koji that has its packages; `nil` where they come from a repository.
    public let kojiTag: String?
    public let bases: [Base]

    public var id: NSVC { stream.id }

    public init(stream: ModuleStream, kojiTag: String? = nil, bases: [Base] = []) {
        self.stream = stream
        self.kojiTag = kojiTag
        self.bases = bases
    }
}

/// Which builds of a module count.
public struct ModuleBuildFilter: Hashable, Sendable {
    /// Also those that are built and not yet released (MBS calls them `done`, the released ones `ready`).
    public var includesDone = false
    /// Only those that were made against this base module, …
    public var baseName: String?
    public var baseStream: String?
    /// … of a stream whose number is within these bounds.
    public var baseStreamVersionAtMost: Double?
    public var baseStreamVersionAtLeast: Double?

    public init() {}

    public func accepts(_ bases: [ModuleBuild.Base]) -> Bool {
        guard self != ModuleBuildFilter(includesDone: includesDone) else { return true }
        return bases.contains { base in
            (baseName ?? base.name) == base.name && (baseStream ?? base.stream) == base.stream
                && (baseStreamVersionAtMost.map { most in base.streamVersion.map { $0 <= most } ?? false } ?? true)
                && (baseStreamVersionAtLeast.map { least in base.streamVersion.map { $0 >= least } ?? false } ?? true)
        }
    }

    private init(includesDone: Bool) { self.includesDone = includesDone }
}

/// A place where modules come from.
public protocol ModuleCatalog: Sendable {
    /// All builds that the reference means and the filter accepts, of whichever version; empty where there is none.
    func builds(of reference: ModuleReference, filter: ModuleBuildFilter) async throws -> [ModuleBuild]

    /// The streams of the module of which there are builds.
    func streams(of module: String, filter: ModuleBuildFilter) async throws -> [String]

    /// The names of the modules that it has; empty where it cannot tell. Only to say what comes near a name that is not there.
    func modules() async throws -> [String]
}
