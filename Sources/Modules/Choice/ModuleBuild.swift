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
    /// The number of a scratch build in the Module Build Service, which alone has its documents; `nil` for any other build.
    public let scratchID: Int?

    public var id: NSVC { stream.id }

    public init(stream: ModuleStream, kojiTag: String? = nil, bases: [Base] = [], scratchID: Int? = nil) {
        self.stream = stream
        self.kojiTag = kojiTag
        self.bases = bases
        self.scratchID = scratchID
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

    /// Whether it is about base modules at all.
    public var restrictsBases: Bool { self != ModuleBuildFilter(includesDone: includesDone) }

    public func accepts(_ bases: [ModuleBuild.Base]) -> Bool {
        guard restrictsBases else { return true }
        return bases.contains { base in
            (baseName ?? base.name) == base.name && (baseStream ?? base.stream) == base.stream
                && (baseStreamVersionAtMost.map { most in base.streamVersion.map { $0 <= most } ?? false } ?? true)
                && (baseStreamVersionAtLeast.map { least in base.streamVersion.map { $0 >= least } ?? false } ?? true)
        }
    }

    /// The same for what is asked for by its complete name: it counts when it is done, too, since somebody wants this very build.
    public func applied(to reference: ModuleReference) -> ModuleBuildFilter {
        var filter = self
        if reference.version != nil, reference.context != nil { filter.includesDone = true }
        return filter
    }

    private init(includesDone: Bool) { self.includesDone = includesDone }
}

extension ModuleBuildFilter {
    /// What it wants of base modules: `platform:el8`, `platform with a stream version of at least 80000 and at most 80200`.
    public var wantedBase: String {
        let bounds = [baseStreamVersionAtLeast.map { "at least \($0.plain)" }, baseStreamVersionAtMost.map { "at most \($0.plain)" }]
        let named = [baseName ?? "any base module", baseStream].compactMap(\.self).joined(separator: ":")
        let versions = bounds.compactMap(\.self).joined(separator: " and ")
        return versions.isEmpty ? named : "\(named) with a stream version of \(versions)"
    }
}

extension Double {
    /// Without a fraction where it has none.
    fileprivate var plain: String { Int(exactly: self).map(String.init) ?? "\(self)" }
}

/// A place where modules come from.
public protocol ModuleCatalog: Sendable {
    /// What it is called in the middle of a sentence: "the tag f26-modular of Koji".
    var name: String { get }

    /// The builds that the reference means and the filter accepts, at least all those of the newest version among them; empty where there is none.
    func builds(of reference: ModuleReference, filter: ModuleBuildFilter) async throws -> [ModuleBuild]

    /// The streams of the module of which there are builds.
    func streams(of module: String, filter: ModuleBuildFilter) async throws -> [String]

    /// The names of the modules that it has; empty where it cannot tell. Only to say what comes near a name that is not there.
    func modules() async throws -> [String]

    /// Why there is no build that the reference means and the filter accepts, although something is known of it, as whole sentences: that it is
    /// still being built, say. `nil` where nothing is known.
    func reason(forAbsenceOf reference: ModuleReference, filter: ModuleBuildFilter) async throws -> String?
}

extension ModuleCatalog {
    public func reason(forAbsenceOf reference: ModuleReference, filter: ModuleBuildFilter) -> String? { nil }
}
