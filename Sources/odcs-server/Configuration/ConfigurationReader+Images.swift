import ComposeFrontend
import ImageModel

/// The keys below `images`.
extension ConfigurationReader {
    mutating func images(
        frontend: ServerConfiguration.Frontend, auth: ServerConfiguration.Auth
    ) throws -> ServerConfiguration.Images {
        let registry = try optionalString("images.registry").map { try address($0, "images.registry") { try ImageNamespace($0) } }
        let authFile = try optionalPath("images.auth_file")
        let memory = try int("images.memory_megabytes", default: 0, in: 0...100_000_000)
        var labels: [String: String] = [:]
        for name in try names(below: "images.labels") { labels[name] = try string("images.labels.\(name)", default: "") }
        let images = ServerConfiguration.Images(
            registry: registry, authFile: authFile,
            insecureRegistries: try registryHosts("images.insecure_registries"),
            allowedRegistries: try registryHosts("images.allowed_registries"),
            account: try string("images.account", default: "odcs-build"),
            allowsHostNetwork: try string("images.network", default: "none", allowed: ["none", "host"]) == "host",
            slots: try int("images.slots", default: 1, in: 0...64), labels: labels,
            timeLimitSeconds: try int("images.time_limit_seconds", default: 3600, in: 1...604_800),
            memoryBytes: memory == 0 ? nil : memory << 20,
            contextBytes: try int("images.context_megabytes", default: 512, in: 1...100_000) << 20,
            logBytes: try int("images.log_megabytes", default: 16, in: 1...1024) << 20,
            minimumFreeBytes: try int("images.min_free_megabytes", default: 2048, in: 0...100_000_000) << 20,
            contentsSeconds: try int("images.contents_seconds", default: 300, in: 1...86_400),
            rebuildSlots: try int("images.max_concurrent_rebuild", default: 4, in: 1...1000))
        guard registry != nil else { return images }
        try checkReadable(authFile, "images.auth_file")
        // A client can have any Containerfile built. Without credentials, only users of this host and its
        // gateway may be clients.
        guard !auth.mechanisms.isEmpty || FrontendConfiguration.isLoopback(frontend.host) else {
            throw mistake(
                "frontend.host",
                "is \(frontend.host), and images.registry is set: every client could build images, because auth.mechanisms is empty. "
                    + "Name the ways by which clients show their identity there, or let the frontend listen on 127.0.0.1 or ::1")
        }
        return images
    }

    private mutating func registryHosts(_ key: String) throws -> [RegistryHost] {
        try strings(key, default: []).map { try address($0, key) { try RegistryHost($0) } }
    }

    private func address<Value>(_ text: String, _ key: String, _ make: (String) throws -> Value) throws -> Value {
        do { return try make(text) } catch let problem as ImageProblem { throw mistake(key, "cannot be used: \(problem)") }
    }
}
