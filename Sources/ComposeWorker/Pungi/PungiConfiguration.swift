import Foundation
public import SystemPackage

/// How composes of the source type `raw_config` are made: by Pungi, from configurations that lie in git repositories.
public struct PungiConfiguration: Hashable, Sendable {
    /// One configuration that requests may name.
    public struct RawConfig: Hashable, Sendable {
        /// The git repository; never shown, since it may hold a password.
        public var url: String
        /// The configuration's file, below ``path``.
        public var configFilename: String
        /// The directory of the repository that matters; its root when `nil`.
        public var path: String?
        /// The branch, tag or commit that is used in place of the one that a request names.
        public var commit: String?
        /// A file of this host that becomes `pungi.conf`, while the configuration becomes `raw_config.conf`, which it imports; see ``PungiWrapper``.
        public var wrapper: FilePath?
        /// Further arguments of pungi-koji, in place of ``PungiConfiguration/arguments``.
        public var arguments: [String]?
        /// In place of ``PungiConfiguration/timeLimit``.
        public var timeLimit: Duration?
        /// A file of this host that is given to the validator.
        public var schemaOverride: FilePath?

        public init(
            url: String, configFilename: String, path: String? = nil, commit: String? = nil, wrapper: FilePath? = nil,
            arguments: [String]? = nil, timeLimit: Duration? = nil, schemaOverride: FilePath? = nil
        ) {
            self.url = url
            self.configFilename = configFilename
            self.path = path
            self.commit = commit
            self.wrapper = wrapper
            self.arguments = arguments
            self.timeLimit = timeLimit
            self.schemaOverride = schemaOverride
        }
    }

    /// pungi-koji: a path, or a name that is looked for in PATH.
    public var executable: String
    /// pungi-config-validate, which sees every configuration first; none when `nil`.
    public var validator: String?
    /// Further arguments of pungi-koji.
    public var arguments: [String] = []
    public var timeLimit: Duration = .seconds(3600)
    /// By the name that requests give.
    public var rawConfigs: [String: RawConfig]
    /// Variables that git and Pungi get beside PATH, HOME, TMPDIR, LANG and TZ; of the service's own they get none.
    public var environment: [String: String] = [:]
    /// For fetching the repository of a configuration.
    public var fetchTimeLimit: Duration = .seconds(300)
    /// Bytes of the largest file that fetching may write; a git repository comes as one.
    public var fetchLimit = 1 << 30
    /// Bytes of Pungi's output that go into the log of the compose.
    public var outputLimit = 64 << 20

    public init(executable: String, rawConfigs: [String: RawConfig]) {
        self.executable = executable
        self.rawConfigs = rawConfigs
    }
}

extension PungiConfiguration {
    /// What programs may print of the address of a configuration's repository: all of it, or without its scheme, without the password, or the password
    /// alone. The longest comes first.
    func hidden(_ name: String) -> [(text: String, by: String)] {
        guard let url = rawConfigs[name]?.url else { return [] }
        var texts = [url]
        if let scheme = url.firstRange(of: "://") {
            let rest = url[scheme.upperBound...]
            texts.append(String(rest))
            if let at = rest.prefix(while: { $0 != "/" }).lastIndex(of: "@") {
                texts.append(String(rest[rest.index(after: at)...]))
                let secret = rest[..<at].split(separator: ":", maxSplits: 1).last.map(String.init) ?? ""
                texts += [secret, secret.removingPercentEncoding ?? secret]
            }
        }
        return texts.filter { $0.count > 3 }.map { ($0, "(the repository of \(name))") }
    }
}
