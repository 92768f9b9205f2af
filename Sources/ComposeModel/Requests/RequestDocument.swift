// The JSON of a request has two forms: the one in which a client sends it, and the one in which the
// service shows it. Both stand here, so that a new member is added to both.

/// A request as the HTTP contract shows it. Its members stand among those of a ``ComposeDocument`` and
/// of a ``WatchDocument``. Lists in a text have one space between their words.
///
/// Example: `"source_type": 1, "source": "f26", "packages": "ed httpd"`.
public struct RequestDocument: Hashable, Sendable {
    public var sourceType: Int
    public var source: String
    public var packages: String?
    public var builds: String?
    public var scratchBuildTasks: String?
    public var sigkeys: String
    public var arches: String
    public var multilibArches: String
    public var multilibMethod: Int
    public var lookasideRepos: String
    public var flags: [String]
    public var results: [String]
    public var label: String?
    public var composeType: String?
    public var targetDir: String
    public var parentPungiComposeIDs: String?
    public var respinOf: String?
    /// `link` or `reference`.
    public var delivery: String?
    /// `fail` or `wait`.
    public var onUnsigned: String?
    public var unsignedWaitSeconds: Int?
    public var modules: String?
    /// Whether the `.repo` file has `module_hotfixes=1`. Clients then see the packages independently of the
    /// module streams that they have enabled.
    public var moduleHotfixes: Bool?
    public var modularKojiTags: String?
    public var moduleDefaultsURL: String?
    public var scratchModules: String?
    public var baseModuleBrName: String?
    public var baseModuleBrStream: String?
    public var baseModuleBrStreamVersionLTE: Int?
    public var baseModuleBrStreamVersionGTE: Int?

    public init(_ request: ComposeRequest) {
        func words(_ list: [String]) -> String { list.count == 1 ? list[0] : list.joined(separator: " ") }
        func wordsOrNil(_ list: [String]) -> String? { list.isEmpty ? nil : words(list) }
        sourceType = request.sourceType.rawValue
        source = words(request.source)
        packages = wordsOrNil(request.packages)
        builds = wordsOrNil(request.builds)
        scratchBuildTasks = wordsOrNil(request.scratchBuildTasks)
        sigkeys = words(request.sigkeys)
        arches = words(request.arches)
        multilibArches = words(request.multilibArches)
        multilibMethod = request.multilibMethods.rawValue
        lookasideRepos = words(request.lookasideRepos)
        flags = request.flags.names
        results = request.results.names
        label = request.label
        composeType = request.composeType
        targetDir = request.targetDir
        parentPungiComposeIDs = wordsOrNil(request.parentPungiComposeIDs)
        respinOf = request.respinOf
        delivery = request.delivery.rawValue
        onUnsigned = request.unsignedWaitSeconds == nil ? "fail" : "wait"
        unsignedWaitSeconds = request.unsignedWaitSeconds
        modules = wordsOrNil(request.modules)
        moduleHotfixes = request.moduleHotfixes ?? false
        modularKojiTags = wordsOrNil(request.modularKojiTags)
        moduleDefaultsURL = request.moduleDefaultsURL.map { url in request.moduleDefaultsCommit.map { "\(url) \($0)" } ?? url }
        scratchModules = wordsOrNil(request.scratchModules)
        baseModuleBrName = request.baseModuleBrName
        baseModuleBrStream = request.baseModuleBrStream
        baseModuleBrStreamVersionLTE = request.baseModuleBrStreamVersionLTE
        baseModuleBrStreamVersionGTE = request.baseModuleBrStreamVersionGTE
    }

    /// A document to decode into.
    static let blank = Self(ComposeRequest(sourceType: .repo, source: [], arches: [], secondsToLive: 0))

    /// The names of all members in JSON. Example: `source_type`.
    public static let memberNames = MemberOrder(blank).listed
}

extension RequestDocument: ContractDocument {
    mutating func visit<Visitor: MemberVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitWatchable(&visitor)
        try visitor.member("modular_koji_tags", &modularKojiTags)
        try visitor.member("module_defaults_url", &moduleDefaultsURL)
        try visitor.member("scratch_modules", &scratchModules)
        try visitor.member("base_module_br_name", &baseModuleBrName)
        try visitor.member("base_module_br_stream", &baseModuleBrStream)
        try visitor.member("base_module_br_stream_version_lte", &baseModuleBrStreamVersionLTE)
        try visitor.member("base_module_br_stream_version_gte", &baseModuleBrStreamVersionGTE)
    }

    /// Visits the members that the request of a watch may have with an effect. A watch takes no modules
    /// along, so it lacks the members that choose them.
    mutating func visitWatchable<Visitor: MemberVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.member("source_type", &sourceType)
        try visitor.member("source", &source)
        try visitor.member("packages", &packages)
        try visitor.member("builds", &builds)
        try visitor.member("scratch_build_tasks", &scratchBuildTasks)
        try visitor.member("sigkeys", &sigkeys)
        try visitor.member("arches", &arches)
        try visitor.member("multilib_arches", &multilibArches)
        try visitor.member("multilib_method", &multilibMethod)
        try visitor.member("lookaside_repos", &lookasideRepos)
        try visitor.member("flags", &flags)
        try visitor.member("results", &results)
        try visitor.member("label", &label)
        try visitor.member("compose_type", &composeType)
        try visitor.member("target_dir", &targetDir)
        try visitor.member("parent_pungi_compose_ids", &parentPungiComposeIDs)
        try visitor.member("respin_of", &respinOf)
        try visitor.member("delivery", &delivery)
        try visitor.member("on_unsigned", &onUnsigned)
        try visitor.member("unsigned_wait_seconds", &unsignedWaitSeconds)
        try visitor.member("modules", &modules)
        try visitor.member("module_hotfixes", &moduleHotfixes)
    }
}

/// A compose submission is the body of a POST: a request in the form in which a client sends it. A
/// member that is `nil` is not sent, so the service's default applies.
///
/// Example: `{"source": {"type": "tag", "source": "f26", "packages": ["ed", "httpd"]}}`.
public struct ComposeSubmission: Hashable, Sendable {
    /// The source of the compose.
    public struct Source: Hashable, Sendable {
        /// The name of a ``SourceType``. Example: `tag`.
        public var type: String?
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

        public init(type: String? = nil, source: String? = nil, packages: [String]? = nil) {
            self.type = type
            self.source = source
            self.packages = packages
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
}

/// A visitor of the members of a ``ComposeSubmission``. It reads or changes each of them.
public protocol SubmissionVisitor {
    associatedtype Failure: Error

    mutating func member(_ name: String, _ value: inout String?) throws(Failure)
    mutating func member(_ name: String, _ value: inout [String]?) throws(Failure)
    mutating func member(_ name: String, _ value: inout Int?) throws(Failure)
    mutating func member(_ name: String, _ value: inout Bool?) throws(Failure)
    /// Visits `seconds_to_live`, which older clients send in other forms.
    mutating func secondsToLive(_ value: inout Int?) throws(Failure)
}

extension ComposeSubmission {
    /// Visits all members except ``source``.
    public mutating func visit<Visitor: SubmissionVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.secondsToLive(&secondsToLive)
        try visitor.member("flags", &flags)
        try visitor.member("results", &results)
        try visitor.member("arches", &arches)
        try visitor.member("multilib_arches", &multilibArches)
        try visitor.member("multilib_method", &multilibMethods)
        try visitor.member("lookaside_repos", &lookasideRepos)
        try visitor.member("label", &label)
        try visitor.member("compose_type", &composeType)
        try visitor.member("target_dir", &targetDir)
        try visitor.member("parent_pungi_compose_ids", &parentPungiComposeIDs)
        try visitor.member("respin_of", &respinOf)
        try visitor.member("delivery", &delivery)
        try visitor.member("on_unsigned", &onUnsigned)
        try visitor.member("unsigned_wait_seconds", &unsignedWaitSeconds)
        try visitor.member("module_hotfixes", &moduleHotfixes)
    }
}

extension ComposeSubmission.Source {
    public mutating func visit<Visitor: SubmissionVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.member("type", &type)
        try visitor.member("source", &source)
        try visitor.member("packages", &packages)
        try visitor.member("builds", &builds)
        try visitor.member("sigkeys", &sigkeys)
        try visitor.member("koji_event", &kojiEvent)
        try visitor.member("modular_koji_tags", &modularKojiTags)
        try visitor.member("module_defaults_url", &moduleDefaultsURL)
        try visitor.member("module_defaults_commit", &moduleDefaultsCommit)
        try visitor.member("scratch_modules", &scratchModules)
        try visitor.member("scratch_build_tasks", &scratchBuildTasks)
        try visitor.member("modules", &modules)
        try visitor.member("base_module_br_name", &baseModuleBrName)
        try visitor.member("base_module_br_stream", &baseModuleBrStream)
        try visitor.member("base_module_br_stream_version_lte", &baseModuleBrStreamVersionLTE)
        try visitor.member("base_module_br_stream_version_gte", &baseModuleBrStreamVersionGTE)
    }
}

extension ComposeSubmission: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var members = SubmissionEncoder(container: encoder.container(keyedBy: MemberName.self))
        var sourceMembers = SubmissionEncoder(
            container: members.container.nestedContainer(keyedBy: MemberName.self, forKey: MemberName("source")))
        var copy = self
        try copy.source.visit(&sourceMembers)
        try copy.visit(&members)
    }
}

private struct SubmissionEncoder: SubmissionVisitor {
    var container: KeyedEncodingContainer<MemberName>

    mutating func member(_ name: String, _ value: inout String?) throws { try encode(value, name) }
    mutating func member(_ name: String, _ value: inout [String]?) throws { try encode(value, name) }
    mutating func member(_ name: String, _ value: inout Int?) throws { try encode(value, name) }
    mutating func member(_ name: String, _ value: inout Bool?) throws { try encode(value, name) }
    mutating func secondsToLive(_ value: inout Int?) throws { try encode(value, "seconds_to_live") }

    private mutating func encode(_ value: (some Encodable)?, _ name: String) throws {
        try container.encodeIfPresent(value, forKey: MemberName(name))
    }
}

extension ComposeSubmission: Decodable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: MemberName.self)
        var members = SubmissionDecoder(container: container)
        var sourceMembers = SubmissionDecoder(
            container: try container.nestedContainer(keyedBy: MemberName.self, forKey: MemberName("source")))
        self.init(source: Source())
        try source.visit(&sourceMembers)
        try visit(&members)
    }
}

private struct SubmissionDecoder: SubmissionVisitor {
    let container: KeyedDecodingContainer<MemberName>

    func member(_ name: String, _ value: inout String?) throws { value = try decode(name) }
    func member(_ name: String, _ value: inout [String]?) throws { value = try decode(name) }
    func member(_ name: String, _ value: inout Int?) throws { value = try decode(name) }
    func member(_ name: String, _ value: inout Bool?) throws { value = try decode(name) }
    func secondsToLive(_ value: inout Int?) throws { value = try decode("seconds_to_live") }

    private func decode<Value: Decodable>(_ name: String) throws -> Value? {
        try container.decodeIfPresent(Value.self, forKey: MemberName(name))
    }
}
