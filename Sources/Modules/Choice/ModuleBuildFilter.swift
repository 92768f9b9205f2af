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
