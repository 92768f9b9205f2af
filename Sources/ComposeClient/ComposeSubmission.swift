/// What is asked for, as the body of a POST. A member that is `nil` is not sent, and the service's default holds.
public struct ComposeSubmission: Hashable, Sendable, Encodable {
    /// What the compose is made from.
    public struct Source: Hashable, Sendable, Encodable {
        /// `tag`, `module`, `repo`, `pulp`, `raw_config`, `build` or `pungi_compose`.
        public var type: String
        /// One or several, separated by spaces; which words they are depends on the type.
        public var source: String?
        /// Names or globs of RPMs; none means everything in the source.
        public var packages: [String]?
        /// N-V-R of builds.
        public var builds: [String]?
        /// Key ids, the most wanted one first; an empty one allows unsigned packages.
        public var sigkeys: [String]?
        public var kojiEvent: Int?
        public var modularKojiTags: [String]?
        /// Comes with ``moduleDefaultsCommit`` or not at all.
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
    /// `link` or `reference`: whether the compose has its packages, or says where in Koji they are.
    public var delivery: String?
    /// `fail` or `wait`: what is to become of it when packages have none of the wanted signatures.
    public var onUnsigned: String?
    public var unsignedWaitSeconds: Int?
    /// Whether clients are to see the packages whatever streams of modules they have enabled.
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
