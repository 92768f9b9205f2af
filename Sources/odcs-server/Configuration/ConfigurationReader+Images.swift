import ComposeFrontend
import ForeignText
import ImageModel
import ServiceConfiguration
import SystemPackage

/// The keys below `images`.
extension ConfigurationReader {
    mutating func images(
        frontend: ServerConfiguration.Frontend, auth: ServerConfiguration.Auth
    ) throws -> ServerConfiguration.Images {
        let registry = try optionalString("images.registry").map { try address($0, "images.registry") { try ImageNamespace($0) } }
        let authFile = try optionalPath("images.auth_file")
        let provenanceKey = try optionalPath("images.provenance_key")
        let memory = try int("images.memory_megabytes", default: 0, in: 0...100_000_000)
        var labels: [String: String] = [:]
        for name in try names(below: "images.labels") { labels[name] = try string("images.labels.\(name)", default: "") }
        var images = ServerConfiguration.Images(
            registry: registry, authFile: authFile, provenanceKey: provenanceKey,
            insecureRegistries: try registryHosts("images.insecure_registries"),
            allowedRegistries: try registryHosts("images.allowed_registries"),
            account: try string("images.account", default: "odcs-build"),
            allowsHostNetwork: try string("images.network", default: "none", allowed: ["none", "host"]) == "host",
            slots: try int("images.slots", default: 1, in: 0...64),
            nodeSlots: try int("images.node_slots", default: 8, in: 0...1000), nodeKeys: try optionalPath("images.node_keys"),
            labels: labels,
            timeLimitSeconds: try int("images.time_limit_seconds", default: 3600, in: 1...604_800),
            memoryBytes: memory == 0 ? nil : memory << 20,
            contextBytes: try int("images.context_megabytes", default: 512, in: 1...100_000) << 20,
            logBytes: try int("images.log_megabytes", default: 16, in: 1...1024) << 20,
            minimumFreeBytes: try int("images.min_free_megabytes", default: 2048, in: 0...100_000_000) << 20,
            contentsSeconds: try int("images.contents_seconds", default: 300, in: 1...86_400),
            rebuildSlots: try int("images.max_concurrent_rebuild", default: 4, in: 1...1000))
        images.artifacts = try artifacts(of: images)
        guard registry != nil else { return images }
        try checkReadable(authFile, "images.auth_file")
        if let provenanceKey {
            try checkReadable(provenanceKey, "images.provenance_key")
            _ = try address(provenanceKey.string, "images.provenance_key") { try ProvenanceKey(file: $0) }
        }
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

/// The section `artifacts`.
extension ConfigurationReader {
    /// The protocols of git that need no credentials.
    private static let gitProtocols = ["https", "http", "git", "file"]

    /// Returns the settings for artifacts, or `nil` if no images are built.
    mutating func artifacts(of images: ServerConfiguration.Images) throws -> ArtifactSettings? {
        var environments: [String: String] = [:]
        for name in try names(below: "artifacts.environments") {
            environments[name] = try string("artifacts.environments.\(name)", default: "")
        }
        let git = try strings("artifacts.git", default: []).map { text in
            let address = text.hasSuffix("/") ? String(text.dropLast()) : text
            guard let scheme = address.firstRange(of: "://").map({ String(address[..<$0.lowerBound]) }), Self.gitProtocols.contains(scheme)
            else {
                throw mistake(
                    "artifacts.git",
                    "has \(text.quoted), which must be an address that begins with one of "
                        + "\(Self.gitProtocols.map { "\($0)://" }.joined(separator: ", "))")
            }
            return address
        }
        let platform = try optionalString("artifacts.platform")
        guard let namespace = images.registry else { return nil }
        var settings = ArtifactSettings(namespace: namespace, git: git)
        do {
            if let platform { settings.platform = try Platform(platform) }
        } catch let problem as ImageProblem {
            throw mistake("artifacts.platform", "cannot be used: \(problem)")
        }
        for (name, text) in environments {
            settings.environments[name] = try environment(named: name, text, in: namespace, images.registries)
        }
        return settings
    }

    private func environment(
        named name: String, _ text: String, in namespace: ImageNamespace, _ registries: Set<RegistryHost>
    ) throws -> ImageReference {
        let key = "artifacts.environments.\(name)"
        let image: ImageReference
        do throws(ImageProblem) {
            // The name of an operating system is a part of names in the registry.
            _ = try Artifact(.component, component: "x", version: "x", environment: name)
            let suffix = text.indices.first { "@:".contains(text[$0]) && !text[$0...].contains("/") } ?? text.endIndex
            let repository = try namespace.repository(text[..<suffix])
            image = try ImageReference("\(repository)\(text[suffix...])")
        } catch {
            throw mistake(key, "cannot be used: \(error)")
        }
        guard registries.contains(image.repository.host) else {
            throw mistake(key, "is in the registry \(image.repository.host), which images.allowed_registries does not have")
        }
        return image
    }
}
