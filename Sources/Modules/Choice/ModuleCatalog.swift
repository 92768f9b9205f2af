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
