/// A compose submission is the body of a POST: the request for a compose. A member that is `nil` is not
/// sent, so the service's default applies.
public struct ComposeSubmission: Hashable, Sendable, Encodable {
    /// The source of the compose.
    public struct Source: Hashable, Sendable, Encodable {
        /// `tag`, `module`, `repo`, `pulp`, `raw_config`, `build` or `pungi_compose`.
        public var type: String
        /// One or several words, separated by spaces. Their meaning depends on the type. Example: `f26` for the
        /// type `tag`.
        public var source: String?
        /// Names or globs of RPMs. `nil` means everything in the source.
        public var packages: [String]?
        /// Builds, each as N-V-R. Example: `ed-1.14.2-2.fc26`.
        public var builds: [String]?
        /// Key ids, in order of preference. An empty key id allows unsigned packages.
        public var sigkeys: [String]?
        public var kojiEvent: Int?
        public var modularKojiTags: [String]?
        /// The git repository of module defaults. It requires ``moduleDefaultsCommit``, and the reverse.
        public var moduleDefaultsURL: String?
        public var moduleDefaultsCommit: String?
        public var scratchModules: [String]?
        public var scratchBuildTasks: [String]?
        public var modules: [String]?
        public var baseModuleBrName: String?
        public var baseModuleBrStream: String?
        public var baseModuleBrStreamVersionLTE: Int?
        public var baseModuleBrStreamVersionGTE: Int?

        public init(type: String, source: String? = nil, packages: [String]? = nil) {
            self.type = type
            self.source = source
            self.packages = packages
        }

        enum CodingKeys: String, CodingKey {
            case type, source, packages, builds, sigkeys, modules
            case kojiEvent = "koji_event"
            case modularKojiTags = "modular_koji_tags"
            case moduleDefaultsURL = "module_defaults_url"
            case moduleDefaultsCommit = "module_defaults_commit"
            case scratchModules = "scratch_modules"
            case scratchBuildTasks = "scratch_build_tasks"
            case baseModuleBrName = "base_module_br_name"
            case baseModuleBrStream = "base_module_br_stream"
            case baseModuleBrStreamVersionLTE = "base_module_br_stream_version_lte"
            case baseModuleBrStreamVersionGTE = "base_module_br_stream_version_gte"
        }
    }

    public var source: Source
    public var secondsToLive: Int?
    public var flags: [String]?
    public var results: [String]?
    public var arches: [String]?
    public var multilibArches: [String]?
    public var multilibMethods: [String]?
    public var lookasideRepos: [String]?
    public var label: String?
    public var composeType: String?
    public var targetDir: String?
    public var parentPungiComposeIDs: [String]?
    public var respinOf: String?
    /// `link` if the compose contains its packages, or `reference` if it says where in Koji they are.
    public var delivery: String?
    /// The behavior if packages have none of the wanted signatures: `fail`, or `wait` for the signatures.
    public var onUnsigned: String?
    public var unsignedWaitSeconds: Int?
    /// Whether clients see the packages regardless of the enabled streams of modules.
    public var moduleHotfixes: Bool?

    public init(source: Source) {
        self.source = source
    }

    enum CodingKeys: String, CodingKey {
        case source, flags, results, arches, label, delivery
        case secondsToLive = "seconds_to_live"
        case multilibArches = "multilib_arches"
        case multilibMethods = "multilib_method"
        case lookasideRepos = "lookaside_repos"
        case composeType = "compose_type"
        case targetDir = "target_dir"
        case parentPungiComposeIDs = "parent_pungi_compose_ids"
        case respinOf = "respin_of"
        case onUnsigned = "on_unsigned"
        case unsignedWaitSeconds = "unsigned_wait_seconds"
        case moduleHotfixes = "module_hotfixes"
    }
}
