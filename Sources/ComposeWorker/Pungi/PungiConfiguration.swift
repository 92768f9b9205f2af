import Foundation
public import SystemPackage

/// A Pungi configuration is the settings for composes of the source type `raw_config`. Pungi makes them
/// from configurations in git repositories.
public struct PungiConfiguration: Hashable, Sendable {
    /// A raw config is one configuration that requests may name.
    public struct RawConfig: Hashable, Sendable {
        /// The address of the git repository. It is never shown, because it may contain a password.
        public var url: String
        /// The configuration's file, below ``path``.
        public var configFilename: String
        /// The directory of the repository that has the configuration. `nil` means the root.
        public var path: String?
        /// The branch, tag or commit that is used instead of the one that a request names.
        public var commit: String?
        /// A file of this host that becomes `pungi.conf`. The configuration then becomes `raw_config.conf`,
        /// which the file imports. See ``PungiWrapper``.
        public var wrapper: FilePath?
        /// Further arguments of pungi-koji, in place of ``PungiConfiguration/arguments``.
        public var arguments: [String]?
        /// The time limit, in place of ``PungiConfiguration/timeLimit``.
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

    /// The program pungi-koji, as a path or as a name that is searched for in PATH.
    public var executable: String
    /// The program pungi-config-validate, which checks every configuration first. `nil` means no check.
    public var validator: String?
    /// Further arguments of pungi-koji.
    public var arguments: [String] = []
    public var timeLimit: Duration = .seconds(3600)
    /// The configurations, by the name that requests give.
    public var rawConfigs: [String: RawConfig]
    /// Environment variables that git and Pungi get in addition to PATH, HOME, TMPDIR, LANG and TZ. They
    /// get no variables of the service's own environment.
    public var environment: [String: String] = [:]
    /// The time limit for fetching the repository of a configuration.
    public var fetchTimeLimit: Duration = .seconds(300)
    /// The size of the largest file that a fetch may write, in bytes. A git repository arrives as one file.
    public var fetchLimit = 1 << 30
    /// The number of bytes of Pungi's output that are written to the log of the compose at most.
    public var outputLimit = 64 << 20

    public init(executable: String, rawConfigs: [String: RawConfig]) {
        self.executable = executable
        self.rawConfigs = rawConfigs
    }
}

extension PungiConfiguration {
    /// Returns the texts by which programs may print the address of a configuration's repository, each with
    /// its replacement. They are the whole address, the address without its scheme, the address without its
    /// password, and the password alone. The longest text comes first.
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
