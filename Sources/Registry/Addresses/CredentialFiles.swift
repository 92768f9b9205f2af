public import SystemPackage

/// The files that have credentials for registries, in the order in which they are searched. Their form
/// is that of docker's `config.json` and podman's `auth.json`.
public struct CredentialFiles: Hashable, Sendable {
    public let paths: [FilePath]
    /// Whether the files must exist, because a setting names them.
    let isNamed: Bool

    public static let none = CredentialFiles(paths: [], isNamed: false)

    private init(paths: [FilePath], isNamed: Bool) {
        self.paths = paths
        self.isNamed = isNamed
    }

    /// The one file that a setting names.
    public init(_ path: FilePath) { self.init(paths: [path], isNamed: true) }

    /// The usual files of a user: `REGISTRY_AUTH_FILE` alone if it is set, else podman's files and then
    /// docker's (containers-auth.json(5)).
    public init(environment: [String: String]) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let file = value("REGISTRY_AUTH_FILE") {
            self.init(FilePath(file))
            return
        }
        let home = value("HOME")
        let places: [String?] = [
            value("XDG_RUNTIME_DIR").map { "\($0)/containers/auth.json" },
            (value("XDG_CONFIG_HOME") ?? home.map { "\($0)/.config" }).map { "\($0)/containers/auth.json" },
            (value("DOCKER_CONFIG") ?? home.map { "\($0)/.docker" }).map { "\($0)/config.json" },
        ]
        self.init(paths: places.compactMap { $0.map { FilePath($0) } }, isNamed: false)
    }
}
