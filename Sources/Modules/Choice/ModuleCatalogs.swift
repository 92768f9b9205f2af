/// Several catalogs as one. The builds of a module are those of the first catalog that has any.
public struct ModuleCatalogs: ModuleCatalog {
    private let catalogs: [any ModuleCatalog]

    /// - Parameter catalogs: The catalogs in the order in which they are asked.
    public init(_ catalogs: [any ModuleCatalog]) { self.catalogs = catalogs }

    /// All catalogs that were searched, in the form "A, B or C".
    public var name: String {
        let names = catalogs.map(\.name)
        guard let last = names.last else { return "any place: none is configured" }
        return names.count == 1 ? last : "\(names.dropLast().joined(separator: ", ")) or \(last)"
    }

    public func builds(of reference: ModuleReference, filter: ModuleBuildFilter) async throws -> [ModuleBuild] {
        for catalog in catalogs {
            let found = try await catalog.builds(of: reference, filter: filter)
            if !found.isEmpty { return found }
        }
        return []
    }

    public func streams(of module: String, filter: ModuleBuildFilter) async throws -> [String] {
        var streams: Set<String> = []
        for catalog in catalogs { streams.formUnion(try await catalog.streams(of: module, filter: filter)) }
        return streams.sorted()
    }

    public func modules() async throws -> [String] {
        var names: Set<String> = []
        for catalog in catalogs { names.formUnion(try await catalog.modules()) }
        return names.sorted()
    }

    /// Returns the reasons of all catalogs, one after the other.
    public func reason(forAbsenceOf reference: ModuleReference, filter: ModuleBuildFilter) async throws -> String? {
        var reasons: [String] = []
        for catalog in catalogs {
            if let reason = try await catalog.reason(forAbsenceOf: reference, filter: filter) { reasons.append(reason) }
        }
        return reasons.isEmpty ? nil : reasons.joined(separator: " ")
    }
}
