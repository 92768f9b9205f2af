extension UserNamespace {
    /// Returns the namespace that takes the least time on this host.
    static func choose(for storage: BuildStorage) async throws -> UserNamespace {
        guard let namespace = UserNamespace(of: storage.account.account) else { return byBuildah }
        var storage = storage
        storage.namespace = namespace
        return try await Buildah(storage: storage).canEnterNamespace() ? namespace : byBuildah
    }
}
