/// Several places where modules come from, of which the first that has something is the one that counts.
public struct ModuleCatalogs: ModuleCatalog {
    private let catalogs: [any ModuleCatalog]

    /// - Parameter catalogs: In the order in which they are asked.
    public init(_ catalogs: [any ModuleCatalog]) { self.catalogs = catalogs }

    /// "A, B or C": all places that were looked at when nothing was found.
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

    /// Those of the first that has any: where that is, there are the module's builds.
    public func streams(of module: String, filter: ModuleBuildFilter) async throws -> [String] {
        for catalog in catalogs {
            let found = try await catalog.streams(of: module, filter: filter)
            if !found.isEmpty { return found }
        }
        return []
    }

    public func modules() async throws -> [String] {
        var names: Set<String> = []
        for catalog in catalogs { names.formUnion(try await catalog.modules()) }
        return names.sorted()
    }

    /// What each knows, one after the other.
    public func reason(forAbsenceOf reference: ModuleReference, filter: ModuleBuildFilter) async throws -> String? {
        var reasons: [String] = []
        for catalog in catalogs {
            if let reason = try await catalog.reason(forAbsenceOf: reference, filter: filter) { reasons.append(reason) }
        }
        return reasons.isEmpty ? nil : reasons.joined(separator: " ")
    }
}
