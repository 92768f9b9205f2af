/// A filter that decides which builds of a module are considered.
public struct ModuleBuildFilter: Hashable, Sendable {
    /// Whether builds that are not yet released pass. The Module Build Service calls them `done`, and
    /// released builds `ready`.
    public var includesDone = false
    /// If set, a build passes only if it was made against a base module of this name.
    public var baseName: String?
    /// If set, the base module must also have this stream.
    public var baseStream: String?
    /// If set, the number of the base module's stream must be within these bounds.
    public var baseStreamVersionAtMost: Double?
    public var baseStreamVersionAtLeast: Double?
    /// The names of the base modules. They decide which requirements in a document are base modules.
    public var baseModules = ModuleBuild.baseModules

    public init() {}

    /// Whether the filter restricts base modules at all.
    public var restrictsBases: Bool { self != ModuleBuildFilter(includesDone: includesDone, baseModules: baseModules) }

    public func accepts(_ bases: [ModuleBuild.Base]) -> Bool {
        guard restrictsBases else { return true }
        return bases.contains { base in
            (baseName ?? base.name) == base.name && (baseStream ?? base.stream) == base.stream
                && (baseStreamVersionAtMost.map { most in base.streamVersion.map { $0 <= most } ?? false } ?? true)
                && (baseStreamVersionAtLeast.map { least in base.streamVersion.map { $0 >= least } ?? false } ?? true)
        }
    }

    /// Returns whether a build passes if only its document is known. A document names a base module's
    /// stream in short (`f26` for `f26.0.0`). A document that names no base module always passes.
    public func accepts(documented stream: ModuleStream) -> Bool {
        let bases = ModuleBuild.Base.required(by: stream, among: baseModules)
        if bases.isEmpty { return true }
        guard let baseStream, let version = ModuleBuild.Base.version(ofStream: baseStream) else { return accepts(bases) }
        return accepts(
            bases.map {
                .init(name: $0.name, stream: $0.streamVersion == version ? baseStream : $0.stream, streamVersion: $0.streamVersion)
            })
    }

    /// Returns the same filter for a requested module. A request with version and context means exactly
    /// this build, so the build passes even if it is only `done`.
    public func applied(to reference: ModuleReference) -> ModuleBuildFilter {
        var filter = self
        if reference.version != nil, reference.context != nil { filter.includesDone = true }
        return filter
    }

    private init(includesDone: Bool, baseModules: Set<String>) {
        self.includesDone = includesDone
        self.baseModules = baseModules
    }
}

extension ModuleBuildFilter {
    /// The condition on base modules, in words. Examples: `platform:el8`, `platform with a stream version
    /// of at least 80000 and at most 80200`.
    public var wantedBase: String {
        let bounds = [baseStreamVersionAtLeast.map { "at least \($0.plain)" }, baseStreamVersionAtMost.map { "at most \($0.plain)" }]
        let named = [baseName ?? "any base module", baseStream].compactMap(\.self).joined(separator: ":")
        let versions = bounds.compactMap(\.self).joined(separator: " and ")
        return versions.isEmpty ? named : "\(named) with a stream version of \(versions)"
    }
}

extension Double {
    /// The number in decimal, without a fraction if it is whole.
    fileprivate var plain: String { Int(exactly: self).map(String.init) ?? "\(self)" }
}
