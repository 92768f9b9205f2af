import ForeignText

/// *Mount rules* say which mounts of RUN are refused.
///
/// Builders have followed links and odd options of mounts on the host, where the account that builds
/// can read the files of other builds. Examples are CVE-2024-1753, CVE-2024-9407 and CVE-2024-9675 of
/// buildah, and buildah 1.28 of Debian 12 still does it. So only mounts are allowed that lead nowhere
/// else in any version.
struct MountRules: Hashable, Sendable {
    /// The ids of the secrets that the image names.
    var secrets: Set<String>
    /// The paths of the mounts that ODCS adds.
    var reservedTargets: [String]

    /// The options of each type. The builder itself refuses some of them.
    private static let options: [String: Set<String>] = [
        "bind": common.union(["source", "src", "from", "ro", "readonly", "rw", "readwrite", "z"]),
        "cache": common.union(["id", "ro", "readonly", "rw", "readwrite", "sharing", "mode", "uid", "gid", "z"]),
        "tmpfs": common.union(["size", "mode"]),
        "secret": common.union(["id", "required", "mode", "uid", "gid"]),
    ]
    private static let common: Set<String> = ["type", "target", "dst", "destination"]

    /// Returns a sentence for each reason why a mount is refused.
    ///
    /// - Parameters:
    ///   - text: The value of `--mount`, with the values of its variables.
    ///   - written: The value as it is written. Builders do not agree about variables in it.
    func refusals(of text: String, written: String) -> [String] {
        let mount = MountOptions(text)
        guard mount.types.count == 1, let type = mount.types.first else { return ["RUN --mount=\(text) has more than one type"] }
        if let target = mount.targets.first(where: isReserved) {
            return ["RUN --mount with the target \(target) is not allowed: ODCS mounts its packages there"]
        }
        if let refusal = refusal(ofForm: written, mount) { return [refusal] }
        switch type {
        case "bind":
            if mount.isWritable { return ["RUN --mount=type=bind may only be read, so rw is not allowed"] }
            return refusals(ofOptions: mount, type) + refusals(ofSources: mount)
        case "cache":
            return mount.values(of: ["from"]).map { "RUN --mount=type=cache with from=\($0) is not allowed: a command could write there" }
                + refusals(ofOptions: mount.without("from"), type) + refusals(ofCache: mount)
        case "tmpfs":
            return refusals(ofOptions: mount, type)
        case "secret":
            // Without an id, the target's last component is the id.
            let id = mount.values(of: ["id"]).last ?? mount.targets.last?.parts(at: "/").last ?? ""
            if secrets.contains(id) { return refusals(ofOptions: mount, type) }
            return ["RUN --mount=type=secret,id=\(id) is not allowed: the image does not name the secret \(id.quoted)"]
        case "ssh":
            return ["RUN --mount=type=ssh is not allowed: no key of the node is for a build"]
        default:
            return ["RUN --mount=type=\(type) is not known. The types are bind, cache, tmpfs and secret"]
        }
    }

    /// Returns why builders may read a mount in another way than ODCS.
    private func refusal(ofForm written: String, _ mount: MountOptions) -> String? {
        guard written.contains("$") else { return nil }
        let raw = MountOptions(written)
        let isPlain = raw.values(of: ["source", "src", "from", "id", "target", "dst", "destination"]).allSatisfy { !$0.contains("$") }
        guard isPlain, raw.options.map(\.key) == mount.options.map(\.key) else {
            return "RUN --mount=\(written) is not allowed: builders do not agree about variables in it"
        }
        return nil
    }

    private func refusals(ofOptions mount: MountOptions, _ type: String) -> [String] {
        let allowed = Self.options[type] ?? []
        return mount.options.map(\.key).filter { !allowed.contains($0) }.map {
            "RUN --mount=type=\(type) with the option \($0.quoted) is not allowed"
        }
    }

    /// A part of a stage or an image can be a link, which is not known before the build.
    private func refusals(ofSources mount: MountOptions) -> [String] {
        guard let from = mount.values(of: ["from"]).last else { return [] }
        return mount.values(of: ["source", "src"]).filter { Self.normalized($0) != "/" }.map {
            "RUN --mount with source=\($0) of from=\(from) is not allowed: it may be a link that leads out of the build. "
                + "Leave source out, or use COPY --from=\(from)"
        }
    }

    private func refusals(ofCache mount: MountOptions) -> [String] {
        let ids = mount.values(of: ["id"])
        let names = ids.isEmpty ? mount.targets.map { $0.hasPrefix("/") ? Self.normalized($0) : "../\($0)" } : ids
        return names.filter { $0.parts(at: "/").contains("..") }.map { name in
            ids.isEmpty
                ? "RUN --mount=type=cache needs a target that begins with /"
                : "RUN --mount=type=cache with id=\(name) is not allowed: the id leads out of the caches"
        }
    }

    private func isReserved(_ target: String) -> Bool {
        let path = Self.normalized(target)
        return reservedTargets.contains { reserved in
            path == reserved || path.hasPrefix(reserved + "/") || reserved.hasPrefix(path == "/" ? "/" : path + "/")
        }
    }

    /// The path without `.`, `..` and double slashes.
    private static func normalized(_ path: String) -> String {
        var components: [String] = []
        for component in path.parts(at: "/") {
            switch component {
            case "", ".": break
            case "..": _ = components.popLast()
            default: components.append(component)
            }
        }
        return "/" + components.joined(separator: "/")
    }
}

extension Containerfile {
    /// A folder of the context that a RUN mounts.
    public struct ContextMount: Hashable, Sendable {
        public let line: Int
        /// The path below the context, as it is written.
        public let source: String
    }

    /// The parts of the context that RUN mounts. The builder follows links in their paths on the host, so
    /// they must be checked before.
    public var contextMounts: [ContextMount] {
        stages.flatMap(\.instructions).filter { $0.keyword == .run }.flatMap { run in
            run.values(of: "mount").map { MountOptions($0) }.filter { $0.types == ["bind"] && $0.values(of: ["from"]).isEmpty }
                .flatMap { $0.values(of: ["source", "src"]) }.map { ContextMount(line: run.line, source: $0) }
        }
    }
}
