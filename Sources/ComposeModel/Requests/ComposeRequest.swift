/// A validated request: the inputs of a compose. They never change once the compose is recorded.
///
/// Lists keep the caller's order. An absent list and an empty list mean the same. For ``packages`` both
/// mean "everything".
public struct ComposeRequest: Hashable, Sendable, Codable {
    public var sourceType: SourceType
    /// The words of `source`. They are tags, modules (`N:S[:V[:C]]`), repositories or the like, depending
    /// on the type.
    public var source: [String]
    public var packages: [String]
    public var builds: [String]
    /// Key ids of 8 or 16 hexadecimal digits. An empty string allows unsigned packages.
    public var sigkeys: [String]
    public var kojiEvent: Int?
    public var modularKojiTags: [String]
    public var moduleDefaultsURL: String?
    public var moduleDefaultsCommit: String?
    public var scratchModules: [String]
    public var scratchBuildTasks: [String]
    public var modules: [String]
    public var baseModuleBrName: String?
    public var baseModuleBrStream: String?
    public var baseModuleBrStreamVersionLTE: Int?
    public var baseModuleBrStreamVersionGTE: Int?
    public var flags: ComposeFlags
    public var results: ComposeResults
    public var arches: [String]
    public var multilibArches: [String]
    public var multilibMethods: MultilibMethods
    public var lookasideRepos: [String]
    public var label: String?
    public var composeType: String?
    /// The name of a configured target directory. The default one is called `default`.
    public var targetDir: String
    public var parentPungiComposeIDs: [String]
    public var respinOf: String?
    /// The time to live in seconds, counted from the end of the compose.
    public var secondsToLive: Int
    public var delivery: Delivery
    /// The number of seconds that the compose waits for signatures if packages have none of ``sigkeys``. If
    /// it is `nil`, the compose fails at once.
    public var unsignedWaitSeconds: Int?
    /// Whether clients see the packages independently of the module streams that they have enabled. `nil`
    /// means no.
    public var moduleHotfixes: Bool?
    /// The ``PackageLock/digest`` of the packages that the compose must have, because it is made again from
    /// a lock file. `nil` if any packages will do.
    public var lock: String?

    public init(
        sourceType: SourceType, source: [String], packages: [String] = [], builds: [String] = [], sigkeys: [String] = [],
        kojiEvent: Int? = nil, modularKojiTags: [String] = [], moduleDefaultsURL: String? = nil, moduleDefaultsCommit: String? = nil,
        scratchModules: [String] = [], scratchBuildTasks: [String] = [], modules: [String] = [], baseModuleBrName: String? = nil,
        baseModuleBrStream: String? = nil, baseModuleBrStreamVersionLTE: Int? = nil, baseModuleBrStreamVersionGTE: Int? = nil,
        flags: ComposeFlags = [], results: ComposeResults = .repository, arches: [String], multilibArches: [String] = [],
        multilibMethods: MultilibMethods = [], lookasideRepos: [String] = [], label: String? = nil, composeType: String? = nil,
        targetDir: String = "default", parentPungiComposeIDs: [String] = [], respinOf: String? = nil, secondsToLive: Int,
        delivery: Delivery = .link, unsignedWaitSeconds: Int? = nil, moduleHotfixes: Bool? = nil,
        lock: String? = nil
    ) {
        self.sourceType = sourceType
        self.source = source
        self.packages = packages
        self.builds = builds
        self.sigkeys = sigkeys
        self.kojiEvent = kojiEvent
        self.modularKojiTags = modularKojiTags
        self.moduleDefaultsURL = moduleDefaultsURL
        self.moduleDefaultsCommit = moduleDefaultsCommit
        self.scratchModules = scratchModules
        self.scratchBuildTasks = scratchBuildTasks
        self.modules = modules
        self.baseModuleBrName = baseModuleBrName
        self.baseModuleBrStream = baseModuleBrStream
        self.baseModuleBrStreamVersionLTE = baseModuleBrStreamVersionLTE
        self.baseModuleBrStreamVersionGTE = baseModuleBrStreamVersionGTE
        self.flags = flags
        self.results = results.union(.repository)
        self.arches = arches
        self.multilibArches = multilibArches
        self.multilibMethods = multilibMethods
        self.lookasideRepos = lookasideRepos
        self.label = label
        self.composeType = composeType
        self.targetDir = targetDir
        self.parentPungiComposeIDs = parentPungiComposeIDs
        self.respinOf = respinOf
        self.secondsToLive = secondsToLive
        self.delivery = delivery
        self.unsignedWaitSeconds = unsignedWaitSeconds
        self.moduleHotfixes = moduleHotfixes
        self.lock = lock
    }
}
