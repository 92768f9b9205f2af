/// A catalog is a place where modules come from, such as a Koji tag.
public protocol ModuleCatalog: Sendable {
    /// The name of the catalog in the middle of a sentence, for example "the tag f26-modular of Koji".
    var name: String { get }

    /// Returns the builds that match the reference and pass the filter. The result contains at least all
    /// such builds of the newest version. It is empty if no build matches.
    func builds(of reference: ModuleReference, filter: ModuleBuildFilter) async throws -> [ModuleBuild]

    /// Returns the streams of the module that have builds.
    func streams(of module: String, filter: ModuleBuildFilter) async throws -> [String]

    /// Returns the names of the catalog's modules. It is empty if the catalog cannot list them. The names
    /// only serve to suggest one that is similar to an unknown name.
    func modules() async throws -> [String]

    /// Explains in whole sentences why no build matches the reference and passes the filter, for example
    /// because the build is not finished. Returns `nil` if the catalog knows nothing about it.
    func reason(forAbsenceOf reference: ModuleReference, filter: ModuleBuildFilter) async throws -> String?
}

extension ModuleCatalog {
    public func reason(forAbsenceOf reference: ModuleReference, filter: ModuleBuildFilter) -> String? { nil }
}
